/** Pictures on their way to the bot, one after another: the server answers them in that order. */
import { ServerError, upload } from "./api";
import { reasonOf } from "./reasons";
import type { TurnEvent } from "./turns";
import { sendFile, type Way } from "./ways/way";
import { words } from "./words";

export interface UploadsOptions {
  dispatch(event: TurnEvent): void;
  /** How the server is reached at the moment, and where it takes pictures. */
  line(): { readonly way: Way | undefined; readonly url: string | undefined };
  /** Of the call's end. */
  readonly signal: AbortSignal;
}

export class Uploads {
  private readonly options: UploadsOptions;
  private previous: Promise<void> = Promise.resolve();

  constructor(options: UploadsOptions) {
    this.options = options;
  }

  add(file: File, caption: string): void {
    const url = URL.createObjectURL(file);
    this.options.dispatch({ type: "picture-added", caption, name: file.name, url });
    this.previous = this.previous.then(() => this.send(file, caption, url));
  }

  private async send(file: File, caption: string, url: string): Promise<void> {
    const { dispatch, line, signal } = this.options;
    const move = (state: "sent" | "refused", note: string) =>
      dispatch({ type: "picture-moved", url, state, note });
    try {
      const to = line().url;
      if (!to) throw new ServerError(words.picture.notTaken);
      const uploaded = await upload(to, file, signal);
      const { way } = line();
      if (!way?.canSend) throw new ServerError(words.picture.notSent(file.name));
      sendFile(way, caption, uploaded);
      move("sent", "");
    } catch (error) {
      const reason = signal.aborted ? words.picture.notSent(file.name) : await reasonOf(error);
      move("refused", reason);
    }
  }
}

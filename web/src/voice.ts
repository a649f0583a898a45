/** The bot's voice: played by an <audio> element, and measured so that one sees it speak. */
import { Meter } from "./meter";

export class Voice {
  private readonly audio: HTMLAudioElement;
  private readonly onBlocked: (isBlocked: boolean) => void;
  private meter: Meter | undefined;

  constructor(audio: HTMLAudioElement, onBlocked: (isBlocked: boolean) => void) {
    this.audio = audio;
    this.onBlocked = onBlocked;
  }

  /** Replaces what was playing: after a reconnection the bot has a new track. */
  play(track: MediaStreamTrack): void {
    const stream = new MediaStream([track]);
    this.audio.srcObject = stream;
    this.meter ??= new Meter();
    this.meter.measure(stream);
    void this.unblock();
  }

  /** Tries to play; browsers allow it once the user has touched the page. */
  async unblock(): Promise<void> {
    this.meter?.resume();
    try {
      await this.audio.play();
      this.onBlocked(false);
    } catch (error) {
      // An AbortError only says that a newer track, or the end, came first.
      if (error instanceof DOMException && error.name === "NotAllowedError") this.onBlocked(true);
    }
  }

  /** 0..1 */
  get level(): number {
    return this.meter?.level ?? 0;
  }

  stop(): void {
    this.meter?.measure(null);
    this.audio.srcObject = null;
  }
}

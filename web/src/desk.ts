/** What the page does: the state, the call of the moment, and what the user asks for. */
import { endSession, fetchSalon, ServerError } from "./api";
import { Call } from "./call";
import type { Choices, Keys } from "./choices";
import { refusal } from "./pictures";
import { Preview, type ChosenDevices } from "./preview";
import type { Salon } from "./protocol";
import { keptCall } from "./resume";
import { INITIAL, isInCall, reduce, type Event, type State } from "./state";
import { Voice } from "./voice";
import { prepareWay } from "./ways/way";
import { speak, words, type DeviceKind, type Language } from "./words";

export class Desk {
  state: State = INITIAL;
  salon: Salon | null = null;
  preview: Preview | null = null;
  draft = "";
  private call: Call | null = null;
  private devices: ChosenDevices = {};
  /** Whom the page's address asks for. */
  readonly wantedPersona: string | null;
  private readonly voice: Voice;
  private readonly draw: () => void;

  constructor(audio: HTMLAudioElement, wantedPersona: string | null, draw: () => void) {
    this.wantedPersona = wantedPersona;
    this.draw = draw;
    this.voice = new Voice(audio, (value) => this.dispatch({ type: "sound-blocked", value }));
  }

  dispatch(event: Event): void {
    this.state = reduce(this.state, event);
    this.draw();
  }

  alert(text: string): void {
    this.dispatch({ type: "alert", text });
  }

  speak(language: Language): void {
    speak(language);
    document.documentElement.lang = language;
    this.draw();
  }

  // --- before the call ---------------------------------------------------------------------------

  /** What the server offers; asked again when the server was away at first. */
  async learnSalon(): Promise<Salon | null> {
    try {
      this.salon ??= await fetchSalon();
      this.draw();
      // The usual way is at hand when somebody wants to connect.
      prepareWay();
    } catch (error) {
      this.alert(error instanceof ServerError ? error.message : words.serverSpeaksOtherwise);
    }
    return this.salon;
  }

  startPreview(): void {
    this.preview = new Preview({
      onChange: () => this.draw(),
      onTrouble: (kind, trouble) => this.alert(words.deviceTrouble(kind, trouble)),
    });
    void this.preview.start(this.devices);
    this.draw();
  }

  choose(kind: "mic" | "cam", deviceId: string): void {
    this.devices = { ...this.devices, [kind]: deviceId };
    this.preview?.choose(kind, deviceId);
  }

  stopPreview(): void {
    if (!this.preview) return;
    this.preview.stop();
    this.preview = null;
    this.draw();
  }

  async connect(choices: Choices, keys: Keys): Promise<void> {
    if (this.call) return;
    const known = await this.learnSalon();
    const persona = choices.persona || known?.personas[0]?.name;
    if (this.call || persona === undefined) return;
    this.stopPreview();
    this.dispatch({ type: "connecting" });
    this.call = this.newCall({ ...choices, persona }, keys);
    this.call.choose(this.devices);
    void this.call.start();
  }

  /** After a refresh, the conversation goes on. */
  resume(): void {
    const kept = keptCall();
    if (this.call) return;
    if (kept && kept.wantedPersona !== this.wantedPersona) {
      // The page was opened anew, for somebody else.
      void endSession(kept.sessionId);
    } else if (kept) {
      this.dispatch({ type: "resuming", turns: kept.turns });
      this.call = this.newCall(kept.choices, { server: "", model: "" });
      void this.call.resume(kept);
    } else if (this.isInCall) {
      // A page that the browser had set aside for longer still shows its call.
      this.dispatch({ type: "line-lost" });
    }
  }

  private newCall(choices: Choices, keys: Keys): Call {
    return new Call(choices, keys, {
      dispatch: (event) => this.dispatch(event),
      onBotTrack: (track) => this.voice.play(track),
      onClosed: () => {
        this.call = null;
        this.voice.stop();
      },
    });
  }

  // --- in the call -------------------------------------------------------------------------------

  end(): void {
    this.call?.end();
  }

  /** The page is about to be gone, and may be back. */
  leave(): void {
    this.call?.leave(this.state.turns, this.wantedPersona);
  }

  switch(kind: DeviceKind): void {
    this.call?.switch(kind, this.state.devices[kind] === "off");
  }

  /** With it the microphone is off until the user holds a key. */
  setPushToTalk(value: boolean): void {
    this.dispatch({ type: "push-to-talk", value });
    this.call?.switch("mic", !value);
  }

  hold(isHeld: boolean): void {
    if (this.state.isPushToTalk) this.call?.switch("mic", isHeld);
  }

  press(key: string): void {
    this.call?.sendKeys(key);
  }

  /** What is being typed. */
  setDraft(draft: string): void {
    this.draft = draft;
    this.draw();
  }

  sendText(): void {
    const text = this.draft.trim();
    if (text !== "" && this.call?.sendText(text)) this.setDraft("");
  }

  /** What is being typed goes with the first picture. */
  sendPictures(files: readonly File[]): void {
    if (files.length === 0) return;
    if (!this.call || !this.salon || this.state.line.phase !== "ready") {
      this.alert(words.picture.callFirst);
      return;
    }
    for (const file of files) {
      const sentence = refusal(file, this.salon.pictures);
      if (sentence) {
        this.alert(sentence);
        continue;
      }
      this.call.sendPicture(file, this.draft.trim() || words.defaultCaption);
      this.setDraft("");
    }
  }

  hear(): void {
    void this.voice.unblock();
  }

  track(kind: DeviceKind): MediaStreamTrack | undefined {
    return this.call?.track(kind);
  }

  /** How loud the bot is, 0..1. */
  get level(): number {
    return this.voice.level;
  }

  get isInCall(): boolean {
    return isInCall(this.state);
  }
}

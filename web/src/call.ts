/** One call, from Connect to its end: Pipecat's client, and what its events mean for the page. */
import {
  logger,
  LogLevel,
  PipecatClient,
  type ErrorData,
  type RTVIEventCallbacks,
  type RTVIMessage,
} from "@pipecat-ai/client-js";
import { endOf, endSession, START, startSession } from "./api";
import { LocalMedia, type MediaListener } from "./media";
import type { Choices, Keys } from "./choices";
import { conversationCallbacks } from "./conversation";
import { LineWatch } from "./network/line-watch";
import type { Session, Transport } from "./protocol";
import type { ChosenDevices } from "./preview";
import { overOf, reasonOf } from "./reasons";
import { keep, keepTurns, type Kept } from "./resume";
import type { Event } from "./state";
import type { Turns } from "./turns";
import { Fallback } from "./ways/fallback";
import { Uploads } from "./uploads";
import { openWay, type Way } from "./ways/way";
import { said, words, type DeviceKind } from "./words";

logger.setLevel(LogLevel.WARN);

/** From the session's start to the bot's "ready"; ICE alone may take 15 s to give up. */
const READY_TIMEOUT_MS = 30_000;
const WATCH_INTERVAL_MS = 500;
/** RTCP reports come once a second. */
const MEASURE_INTERVAL_MS = 2_000;
const FREED_TIMEOUT_MS = 5_000;
/** What the bot said last may still be on its way when its process is gone. */
const LAST_WORDS_MS = 2_000;

type Closing = Extract<Event, { type: "hung-up" | "bot-left" | "line-lost" | "failed" }>;

export interface CallListener {
  dispatch(event: Event): void;
  onBotTrack(track: MediaStreamTrack): void;
  onClosed(): void;
}

export class Call {
  private readonly choices: Choices;
  private readonly keys: Keys;
  private readonly listener: CallListener;
  private readonly media: LocalMedia;
  private way: Way | undefined;
  private client: PipecatClient | undefined;
  private session: Session | undefined;
  /** Of the page before this one, until there is a connection of our own. */
  private formerPcId: string | undefined;
  private readonly closing = new AbortController();
  private readonly timers: number[] = [];
  private readonly lineWatch = new LineWatch();
  private isConnected = false;
  private botTrack: MediaStreamTrack | undefined;
  private readonly uploads: Uploads;

  constructor(choices: Choices, keys: Keys, listener: CallListener) {
    this.choices = choices;
    this.keys = keys;
    this.listener = listener;
    this.media = new LocalMedia(this.mediaListener());
    this.uploads = new Uploads({
      dispatch: (event) => listener.dispatch(event),
      line: () => ({ way: this.way, url: this.session?.fileUploadUrl }),
      signal: this.closing.signal,
    });
  }

  async start(): Promise<void> {
    await this.take(this.choices.transport ?? "webrtc");
  }

  /** Goes on with a call that another page has left, with what was switched on there. */
  async resume(kept: Kept): Promise<void> {
    this.media.want({ mic: kept.isMicOn, cam: kept.isCamOn });
    // From now on the call may be ended, or left once more.
    this.session = kept;
    this.formerPcId = kept.pcId;
    try {
      const way = await this.open("webrtc");
      way.replace?.(kept.pcId);
      await this.askForDevices(way);
      await this.connect(way, kept);
      void this.waitForEnd(kept.sessionId);
    } catch (error) {
      this.close({ type: "failed", reason: overOf(error) });
    }
  }

  private async take(name: Transport): Promise<void> {
    let way: Way | undefined;
    try {
      way = await this.open(name);
      await this.askForDevices(way);
      const session = await startSession(this.choices, this.keys, name, this.closing.signal);
      this.watchForBlocks(way);
      const connected = this.connect(way, session);
      void this.waitForEnd(session.sessionId);
      await connected;
    } catch (error) {
      const reason = await reasonOf(error);
      if (this.way !== way) return;
      this.sayGoodbye(); // the server would keep its place for us
      this.close({ type: "failed", reason });
    }
  }

  private async open(name: Transport): Promise<Way> {
    const way = await openWay(name, this.media);
    this.closing.signal.throwIfAborted();
    this.way = way;
    this.tell({ type: "way", way: name });
    if (!way.carriesVideo) this.withholdVideo();
    return way;
  }

  private withholdVideo(): void {
    for (const kind of ["cam", "screen"] as const) {
      if (!this.media.wants(kind)) continue;
      this.switch(kind, false);
      this.tell({ type: "alert", text: words.ways.noVideo, about: kind });
    }
  }

  /** Before a session is started, which is not for somebody who is still deciding. */
  private async askForDevices(way: Way): Promise<void> {
    this.client = new PipecatClient({
      transport: way,
      enableMic: this.media.wants("mic"),
      enableCam: this.media.wants("cam"),
      callbacks: this.onlyOf(way, this.callbacks()),
    });
    await this.client.initDevices();
    this.closing.signal.throwIfAborted();
  }

  private async connect(way: Way, session: Session): Promise<void> {
    this.session = session;
    // `client.startBot()` does the same request, but cannot be aborted, and loses the server's
    // sentence when the answer is not JSON. The WebRTC transport derives the offer's URL from this.
    way.startBotParams = { endpoint: START };
    this.timers.push(setTimeout(() => this.giveUp(), READY_TIMEOUT_MS));
    await this.client?.connect(way.connectionTo(session));
  }

  /** Of a way that was left nothing is heard any more. */
  private onlyOf(way: Way, callbacks: RTVIEventCallbacks): RTVIEventCallbacks {
    const heard = Object.entries(callbacks).map(([name, callback]) => {
      const guarded = (...args: unknown[]) => {
        if (this.way === way) (callback as (...args: unknown[]) => void)(...args);
      };
      return [name, guarded];
    });
    return Object.fromEntries(heard);
  }

  private watchForBlocks(way: Way): void {
    const fallback = new Fallback();
    const look = () => {
      if (way.sight && fallback.isBlocked(way.sight, performance.now())) void this.fallBack();
    };
    this.timers.push(setInterval(look, WATCH_INTERVAL_MS));
  }

  /** Takes the way that is open wherever this page could be loaded; the devices stay as they are. */
  private async fallBack(): Promise<void> {
    const { client, session } = this;
    this.stopTimers();
    this.way = this.client = this.session = undefined;
    this.tell({ type: "way", way: "websocket", isFallback: true });
    void client?.disconnect();
    if (session) {
      await endSession(session.sessionId);
      // Its place may be the only one, and is free once its process is gone.
      const patience = AbortSignal.timeout(FREED_TIMEOUT_MS);
      await endOf(session.sessionId, AbortSignal.any([this.closing.signal, patience]));
    }
    if (!this.closing.signal.aborted) await this.take("websocket");
  }

  /** A call that ends as it should says so itself, before the server knows. */
  private async waitForEnd(sessionId: string): Promise<void> {
    const ending = await endOf(sessionId, this.closing.signal);
    if (this.session?.sessionId !== sessionId) return;
    if (!ending) this.close({ type: "failed", reason: words.ways.sessionGone });
    else if (ending.reason !== "finished")
      this.close({ type: "failed", reason: said(ending.text) });
    else this.timers.push(setTimeout(() => this.close({ type: "bot-left" }), LAST_WORDS_MS));
  }

  /** Which microphone and camera, before it starts. */
  choose({ mic, cam }: ChosenDevices): void {
    if (mic) this.media.updateMic(mic);
    if (cam) this.media.updateCam(cam);
  }

  end(): void {
    this.sayGoodbye();
    this.close({ type: "hung-up" });
  }

  /** Lets go of the call without ending it: the page is about to be gone, and may be back. */
  leave(turns: Turns, wantedPersona: string | null): void {
    const { session, choices } = this;
    const pcId = this.way?.pcId ?? this.formerPcId;
    const kept =
      session &&
      pcId &&
      keep({
        sessionId: session.sessionId,
        pcId,
        ...(session.fileUploadUrl && { fileUploadUrl: session.fileUploadUrl }),
        ...(session.iceConfig && { iceConfig: session.iceConfig }),
        choices,
        wantedPersona,
        isMicOn: this.media.wants("mic"),
        isCamOn: this.media.wants("cam"),
        turns: keepTurns(turns),
        leftAt: Date.now(),
      });
    if (kept) this.letGo();
    else this.end();
  }

  private sayGoodbye(): void {
    if (this.session && !this.closing.signal.aborted) void endSession(this.session.sessionId);
  }

  switch(kind: DeviceKind, enable: boolean): void {
    const devices = this.way ?? this.media;
    if (kind === "mic") return void devices.enableMic(enable);
    if (enable && this.way?.carriesVideo === false) {
      this.tell({ type: "alert", text: words.ways.noVideo, about: kind });
    } else if (kind === "cam") devices.enableCam(enable);
    else void devices.enableScreenShare(enable);
  }

  track(kind: DeviceKind): MediaStreamTrack | undefined {
    return this.media.track(kind);
  }

  /** Whether the text was sent; if not, the user is told. */
  sendText(text: string): boolean {
    if (!this.client || !this.way?.canSend) {
      this.listener.dispatch({ type: "alert", text: words.textNotSent });
      return false;
    }
    void this.client.sendText(text);
    this.listener.dispatch({ type: "typed", text });
    return true;
  }

  /** Keys of a telephone: 0 to 9, * and #. */
  sendKeys(keys: string): void {
    if (this.way?.canSend) this.client?.sendDTMF(keys);
    else this.listener.dispatch({ type: "alert", text: words.keysNotSent });
  }

  sendPicture(file: File, caption: string): void {
    this.uploads.add(file, caption);
  }

  private lost(): Closing {
    const trouble = this.way?.trouble;
    return trouble ? { type: "failed", reason: overOf(trouble) } : { type: "line-lost" };
  }

  private giveUp(): void {
    const reason = this.way?.hasNoWay ? words.connectionFailed : words.botSilent;
    this.sayGoodbye();
    this.close({ type: "failed", reason });
  }

  private close(event: Closing): void {
    if (this.closing.signal.aborted) return;
    this.letGo();
    this.listener.dispatch(event);
  }

  private letGo(): void {
    this.closing.abort();
    this.stopTimers();
    // The client reaches the media only once there is a peer connection.
    this.media.close();
    void this.client?.disconnect();
    this.listener.onClosed();
  }

  /** A call that is over says nothing more: the transport's last events come after its end. */
  private tell(event: Event): void {
    if (!this.closing.signal.aborted) this.listener.dispatch(event);
  }

  private callbacks(): RTVIEventCallbacks {
    return {
      ...conversationCallbacks((event) => this.tell(event)),
      onConnected: () => {
        this.isConnected = true;
        this.watch(); // in a call that is resumed the bot may be speaking
      },
      onDisconnected: () => {
        // Before there is a connection, `connect()` rejects with a better reason.
        if (this.isConnected) this.close(this.lost());
      },
      onBotReady: () => this.onReady(),
      onBotDisconnected: () => this.close({ type: "bot-left" }),
      onError: (message) => this.onError(message),
      onMessageError: (message) => this.onError(message),
    };
  }

  private onReady(): void {
    this.stopTimers();
    this.tell({ type: "ready" });
    this.watch();
    this.timers.push(setInterval(() => this.watch(), WATCH_INTERVAL_MS));
    this.timers.push(setInterval(() => void this.measure(), MEASURE_INTERVAL_MS));
  }

  /** How the line is: told to the server, followed by what is sent, and shown to the user. */
  private async measure(): Promise<void> {
    const { way } = this;
    if (!way) return;
    const measured = await this.lineWatch.measure(way);
    if (!measured || this.way !== way || !way.canSend) return;
    this.client?.sendClientMessage("network-stats", measured.stats);
    this.tell({ type: "network", state: measured.health });
  }

  /** The transport replaces its connection when that fails, and has no event for it. */
  private watch(): void {
    this.tell({ type: "reconnecting", value: !!this.way?.isInterrupted });
    const track = this.way?.botTrack;
    if (!track || track === this.botTrack) return;
    this.botTrack = track;
    this.listener.onBotTrack(track);
  }

  private onError(message: RTVIMessage): void {
    const { error, fatal } = message.data as ErrorData;
    if (fatal) this.close({ type: "failed", reason: error });
    else this.tell({ type: "alert", text: error });
  }

  private mediaListener(): MediaListener {
    return {
      onDevices: (devices) => this.tell({ type: "devices", devices }),
      onTrack: (kind, track) => void this.way?.replaceTrack(kind, track),
      onTrouble: (kind, trouble) => {
        this.retract(kind);
        this.tell({ type: "alert", text: words.deviceTrouble(kind, trouble), about: kind });
      },
      onGone: (kind) => {
        this.retract(kind);
        if (kind === "cam") this.tell({ type: "alert", text: words.cameraGone, about: kind });
      },
    };
  }

  /** The server was told that the device is on; switching off what is off already tells it otherwise. */
  private retract(kind: DeviceKind): void {
    if (this.way?.canSend) this.switch(kind, false);
  }

  private stopTimers(): void {
    // Numbers from setTimeout and setInterval are of one kind in browsers.
    this.timers.splice(0).forEach(clearTimeout);
  }
}

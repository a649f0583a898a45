/** One call, from Connect to its end: Pipecat's client, and what its events mean for the page. */
import {
  logger,
  LogLevel,
  PipecatClient,
  type ErrorData,
  type RTVIEventCallbacks,
  type RTVIMessage,
} from "@pipecat-ai/client-js";
import { sentenceOf, ServerError, START, startSession, upload } from "./api";
import { Line } from "./line";
import { LocalMedia, type MediaListener } from "./media";
import { isServerMessage } from "./protocol";
import type { Event } from "./state";
import { words, type DeviceKind } from "./words";

logger.setLevel(LogLevel.WARN);

/** From the session's start to the bot's "ready"; ICE alone may take 15 s to give up. */
const READY_TIMEOUT_MS = 30_000;
const WATCH_INTERVAL_MS = 500;

type Closing = Extract<Event, { type: "hung-up" | "bot-left" | "line-lost" | "failed" }>;

export interface CallListener {
  dispatch(event: Event): void;
  onBotTrack(track: MediaStreamTrack): void;
  onClosed(): void;
}

export class Call {
  private readonly persona: string;
  private readonly listener: CallListener;
  private readonly media: LocalMedia;
  private readonly line: Line;
  private readonly client: PipecatClient;
  private readonly closing = new AbortController();
  private readonly timers: number[] = [];
  private isConnected = false;
  private botTrack: MediaStreamTrack | undefined;
  private uploadUrl: string | undefined;
  private uploads: Promise<void> = Promise.resolve();

  constructor(persona: string, listener: CallListener) {
    this.persona = persona;
    this.listener = listener;
    this.media = new LocalMedia(this.mediaListener());
    this.line = new Line(this.media);
    this.client = new PipecatClient({
      transport: this.line,
      enableMic: true,
      enableCam: false,
      callbacks: this.callbacks(),
    });
  }

  /** Asks for the microphone first: a session is not started for somebody who is still deciding. */
  async start(): Promise<void> {
    const { signal } = this.closing;
    try {
      await this.client.initDevices();
      signal.throwIfAborted();
      const { sessionId, fileUploadUrl, iceConfig } = await startSession(this.persona, signal);
      this.uploadUrl = fileUploadUrl;
      // `client.startBot()` does the same request, but cannot be aborted, and loses the server's
      // sentence when the answer is not JSON. The transport derives the offer's URL from this.
      this.line.startBotParams = { endpoint: START };
      this.timers.push(
        setTimeout(() => this.close({ type: "failed", reason: words.botSilent }), READY_TIMEOUT_MS),
      );
      await this.client.connect({ sessionId, ...(iceConfig && { iceConfig }) });
    } catch (error) {
      this.close({ type: "failed", reason: await reasonOf(error) });
    }
  }

  end(): void {
    this.close({ type: "hung-up" });
  }

  switch(kind: DeviceKind, enable: boolean): void {
    if (kind === "mic") this.client.enableMic(enable);
    else if (kind === "cam") this.client.enableCam(enable);
    else void this.client.enableScreenShare(enable);
  }

  track(kind: DeviceKind): MediaStreamTrack | undefined {
    return this.media.track(kind);
  }

  /** Whether the text was sent; if not, the user is told. */
  sendText(text: string): boolean {
    if (!this.line.canSend) {
      this.listener.dispatch({ type: "alert", text: words.textNotSent });
      return false;
    }
    void this.client.sendText(text);
    this.listener.dispatch({ type: "typed", text });
    return true;
  }

  /** One after another, in the order given: the server answers pictures in that order. */
  sendPicture(file: File, caption: string): void {
    const url = URL.createObjectURL(file);
    this.listener.dispatch({ type: "picture-added", caption, name: file.name, url });
    this.uploads = this.uploads.then(() => this.uploadPicture(file, caption, url));
  }

  private async uploadPicture(file: File, caption: string, url: string): Promise<void> {
    const move = (state: "sent" | "refused", note: string) =>
      this.listener.dispatch({ type: "picture-moved", url, state, note });
    try {
      if (!this.uploadUrl) throw new ServerError(words.picture.notTaken);
      const uploaded = await upload(this.uploadUrl, file, this.closing.signal);
      if (!this.line.canSend) throw new ServerError(words.picture.notSent(file.name));
      this.line.sendFile(caption, uploaded);
      move("sent", "");
    } catch (error) {
      const reason = this.closing.signal.aborted
        ? words.picture.notSent(file.name)
        : await reasonOf(error);
      move("refused", reason);
    }
  }

  private close(event: Closing): void {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    this.stopTimers();
    // The client reaches the media only once there is a peer connection.
    void this.media.disconnect();
    void this.client.disconnect();
    this.listener.onClosed();
    this.listener.dispatch(event);
  }

  /** A call that is over says nothing more: the transport's last events come after its end. */
  private tell(event: Event): void {
    if (!this.closing.signal.aborted) this.listener.dispatch(event);
  }

  private callbacks(): RTVIEventCallbacks {
    return {
      onConnected: () => {
        this.isConnected = true;
      },
      onDisconnected: () => {
        // Before there is a connection, `connect()` rejects with a better reason.
        if (this.isConnected) this.close({ type: "line-lost" });
      },
      onBotReady: () => this.onReady(),
      onBotDisconnected: () => this.close({ type: "bot-left" }),
      onServerMessage: (message: unknown) => {
        if (isServerMessage(message)) this.tell({ type: "server", message });
      },
      onError: (message) => this.onError(message),
      onMessageError: (message) => this.onError(message),
      onUserStartedSpeaking: () => this.tell({ type: "user-started-speaking" }),
      onUserTranscript: ({ text, final }) => {
        if (final) this.tell({ type: "user-transcript", text });
      },
      onBotLlmStarted: () => this.tell({ type: "bot-started-response" }),
      onBotOutput: ({ text }) => this.tell({ type: "bot-output", text }),
      onBotStoppedSpeaking: () => this.tell({ type: "bot-stopped-speaking" }),
    };
  }

  private onReady(): void {
    this.stopTimers();
    this.tell({ type: "ready" });
    this.watch();
    this.timers.push(setInterval(() => this.watch(), WATCH_INTERVAL_MS));
  }

  /** The transport replaces its connection when that fails, and has no event for it. */
  private watch(): void {
    this.tell({ type: "reconnecting", value: this.line.isInterrupted });
    const track = this.line.botTrack;
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
      onTrack: (kind, track) => void this.line.replaceTrack(kind, track),
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
    if (this.line.canSend) this.switch(kind, false);
  }

  private stopTimers(): void {
    // Numbers from setTimeout and setInterval are of one kind in browsers.
    this.timers.splice(0).forEach(clearTimeout);
  }
}

async function reasonOf(error: unknown): Promise<string> {
  if (error instanceof ServerError) return error.message;
  // The transport keeps the server's answer to its offer as the cause.
  if (error instanceof Error && error.cause instanceof Response) return sentenceOf(error.cause);
  return words.connectionFailed;
}

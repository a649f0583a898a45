/** Where nothing but web traffic gets through: Pipecat's WebSocket transport, with sound of our own. */
import { WebSocketTransport } from "@pipecat-ai/websocket-transport";
import { logger } from "@pipecat-ai/client-js";
import type { LocalMedia } from "../media";
import type { Session } from "../protocol";
import type { DeviceKind } from "../words";
import { Frames } from "./frames";
import { MICROPHONE_HZ, Sound } from "./sound";
import type { Way } from "./way";

type Options = NonNullable<ConstructorParameters<typeof WebSocketTransport>[0]>;

/** More than this on its way out, about two seconds of sound, is a line that is too narrow for now. */
const MAX_WAITING_BYTES = 64_000;

const BOT = { id: "bot", name: "bot", local: false };

/**
 * Written for websocket-transport 1.7.1. The members declared here belong to that version, though
 * its types do not list them; tests/websocket.test.ts tells when they are gone.
 */
export class WebSocketWay extends WebSocketTransport implements Way {
  readonly name = "websocket";
  readonly carriesVideo = false;
  declare private _ws: { readyState: number; _ws?: { _ws?: WebSocket } | null } | null;
  private readonly media: LocalMedia;
  private readonly sound: Sound;

  constructor(media: LocalMedia) {
    const sound = new Sound();
    const serializer = new Frames({
      onAudio: (pcm) => sound.play(pcm),
      onInterruption: () => sound.drop(),
    });
    super({
      // Its types ask for their own class, of which the transport uses what this has too.
      mediaManager: media as unknown as NonNullable<Options["mediaManager"]>,
      serializer: serializer as unknown as NonNullable<Options["serializer"]>,
      recorderSampleRate: MICROPHONE_HZ,
    });
    this.media = media;
    this.sound = sound;
  }

  /** Behind a proxy that speaks TLS for it, the server may think that it is asked without. */
  connectionTo({ wsUrl }: Session): unknown {
    const isSecure = location.protocol === "https:";
    return { wsUrl: isSecure ? wsUrl?.replace(/^ws:/, "wss:") : wsUrl };
  }

  override async _connect(params?: { wsUrl?: string }): Promise<void> {
    await this.sound.open((pcm) => this.handleUserAudioStream(pcm));
    await super._connect(params);
    this.sound.listenTo(this.media.track("mic"));
  }

  override async _disconnect(): Promise<void> {
    this.sound.close();
    await super._disconnect();
  }

  /** What can't leave at once is left out: the bot would hear it late, and all that follows. */
  override handleUserAudioStream(data: ArrayBuffer): void {
    const waiting = this._ws?._ws?._ws?.bufferedAmount ?? 0;
    if (waiting < MAX_WAITING_BYTES) super.handleUserAudioStream(data);
  }

  /** The transport calls it an error whenever its socket closes, for whatever reason. */
  override connectionError(message: string): void {
    logger.debug(message);
    if (message.endsWith("Code: 1000")) this._callbacks.onBotDisconnected?.(BOT);
    else this._callbacks.onDisconnected?.();
  }

  get canSend(): boolean {
    return this._ws?.readyState === WebSocket.OPEN;
  }

  get botTrack(): MediaStreamTrack | undefined {
    return this.sound.voice;
  }

  get isInterrupted(): boolean {
    return !this.canSend;
  }

  get hasNoWay(): boolean {
    return !this.canSend;
  }

  async replaceTrack(kind: DeviceKind, track: MediaStreamTrack | null): Promise<void> {
    if (kind === "mic") this.sound.listenTo(track);
  }

  override enableCam(enable: boolean): void {
    this.media.enableCam(enable);
  }
  override enableScreenShare(enable: boolean): void {
    this.media.enableScreenShare(enable);
  }
  override get isCamEnabled(): boolean {
    return this.media.isCamEnabled;
  }
  override get isSharingScreen(): boolean {
    return this.media.isSharingScreen;
  }
}

/** Through a Daily room: Pipecat's transport. Daily's own code comes from Daily, once this is chosen. */
import type { DailyCall } from "@daily-co/daily-js";
import type { PipecatClientOptions, RTVIEventCallbacks, RTVIMessage } from "@pipecat-ai/client-js";
import { DailyTransport } from "@pipecat-ai/daily-transport";
import { ServerError } from "../api";
import type { LocalMedia } from "../media";
import type { Session } from "../protocol";
import { words, type DeviceKind } from "../words";
import type { Way } from "./way";

/** Daily tries again for longer than anybody waits. */
const LOAD_TIMEOUT_MS = 20_000;

/**
 * Written for daily-transport 1.6.9. The devices are the call's own (`LocalMedia`), as on every
 * other way; Daily is handed their tracks. `_daily` belongs to that version, though its types do not
 * list it.
 */
export class DailyWay extends DailyTransport implements Way {
  readonly name = "daily";
  readonly carriesVideo = true;
  declare private _daily: DailyCall;
  private readonly media: LocalMedia;
  private isLoaded = false;
  private isUp = false;

  constructor(media: LocalMedia) {
    // The page's policy allows no code out of strings.
    super({ dailyConfig: { avoidEval: true }, audioSource: false, videoSource: false });
    this.media = media;
    this._daily.on("network-connection", ({ event }) => (this.isUp = event === "connected"));
  }

  /** Daily also reports an error for a person to read of code that can't be loaded; we have a better one. */
  override initialize(options: PipecatClientOptions, onMessage: (message: RTVIMessage) => void) {
    const onError: NonNullable<RTVIEventCallbacks["onError"]> = (message) => {
      if (this.isLoaded) options.callbacks?.onError?.(message);
    };
    super.initialize({ ...options, callbacks: { ...options.callbacks, onError } }, onMessage);
  }

  override async initDevices(): Promise<void> {
    this._state = "initializing";
    const loaded = this._daily.load();
    loaded.catch(() => {}); // whoever refuses the microphone meanwhile is told of that first
    await this.media.initialize();
    try {
      await Promise.race([loaded, after(LOAD_TIMEOUT_MS)]);
    } catch {
      throw new ServerError(words.ways.dailyNotLoaded);
    }
    this.isLoaded = true;
    this._state = "initialized";
  }

  connectionTo({ dailyRoom, dailyToken }: Session): unknown {
    return { url: dailyRoom, token: dailyToken };
  }

  override async _connect(params?: object): Promise<void> {
    const [audio, video] = [this.media.track("mic"), this.media.track("cam")];
    await super._connect({
      ...params,
      audioSource: audio ?? false,
      videoSource: video ?? false,
      startAudioOff: !audio,
      startVideoOff: !video,
    });
    this.isUp = true;
    const screen = this.media.track("screen");
    if (screen) await this.replaceTrack("screen", screen);
  }

  override async _disconnect(): Promise<void> {
    this.isUp = false;
    await super._disconnect();
    await this._daily.destroy();
  }

  get canSend(): boolean {
    return this.isUp;
  }

  get botTrack(): MediaStreamTrack | undefined {
    return this.tracks().bot?.audio;
  }

  get isInterrupted(): boolean {
    return !this.isUp;
  }

  get hasNoWay(): boolean {
    return !this.isUp;
  }

  async replaceTrack(kind: DeviceKind, track: MediaStreamTrack | null): Promise<void> {
    if (this._daily.meetingState() !== "joined-meeting") return;
    switch (kind) {
      case "mic":
        if (track) await this._daily.setInputDevicesAsync({ audioSource: track });
        this._daily.setLocalAudio(track !== null);
        break;
      case "cam":
        if (track) await this._daily.setInputDevicesAsync({ videoSource: track });
        this._daily.setLocalVideo(track !== null);
        break;
      case "screen":
        if (track) this._daily.startScreenShare({ mediaStream: new MediaStream([track]) });
        else this._daily.stopScreenShare();
    }
  }

  override enableMic(enable: boolean): void {
    this.media.enableMic(enable);
  }
  override enableCam(enable: boolean): void {
    this.media.enableCam(enable);
  }
  override enableScreenShare(enable: boolean): void {
    this.media.enableScreenShare(enable);
  }
  override get isMicEnabled(): boolean {
    return this.media.isMicEnabled;
  }
  override get isCamEnabled(): boolean {
    return this.media.isCamEnabled;
  }
  override get isSharingScreen(): boolean {
    return this.media.isSharingScreen;
  }
}

function after(timeout: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("too late")), timeout));
}

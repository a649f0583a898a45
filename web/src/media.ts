/** The transport's media manager: microphone, camera and screen with the browser's own means. */
import {
  DeviceError,
  UnsupportedFeatureError,
  type DeviceErrorType,
  type PipecatClientOptions,
  type RTVIEventCallbacks,
  type Tracks,
} from "@pipecat-ai/client-js";
import type { MediaManager } from "@pipecat-ai/transport-lib";
import { canShareScreen, capture, isSecondThought, troubleOf } from "./capture";
import type { DeviceState, Devices } from "./state";
import type { DeviceKind, DeviceTrouble } from "./words";

export interface MediaListener {
  onDevices(devices: Devices): void;
  /** What the line is to send from now on. */
  onTrack(kind: DeviceKind, track: MediaStreamTrack | null): void;
  /** The browser withheld the device: it is off again. */
  onTrouble(kind: DeviceKind, trouble: DeviceTrouble): void;
  /** The device ended by itself: unplugged, or by the browser's own "stop sharing". */
  onGone(kind: DeviceKind): void;
}

interface Slot {
  wanted: boolean;
  track: MediaStreamTrack | undefined;
  info: MediaDeviceInfo | undefined;
  deviceId: string | undefined;
}

const ERROR_TYPE: Record<DeviceTrouble, DeviceErrorType> = {
  refused: "permissions",
  missing: "not-found",
  busy: "in-use",
  unsuitable: "constraints",
  insecure: "undefined-mediadevices",
  unknown: "unknown",
};

async function listDevices(kind: MediaDeviceKind): Promise<MediaDeviceInfo[]> {
  // Browsers leave `mediaDevices` out on pages that are not secure.
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === kind);
}

/** Serves one call, over whichever ways: after `close()` it hands out nothing any more. */
export class LocalMedia implements MediaManager {
  readonly supportsScreenShare = canShareScreen();
  readonly selectedSpeaker = {};

  private readonly listener: MediaListener;
  private readonly slots: Record<DeviceKind, Slot> = {
    mic: { wanted: true, track: undefined, info: undefined, deviceId: undefined },
    cam: { wanted: false, track: undefined, info: undefined, deviceId: undefined },
    screen: { wanted: false, track: undefined, info: undefined, deviceId: undefined },
  };
  private callbacks: RTVIEventCallbacks = {};
  private isClosed = false;

  constructor(listener: MediaListener) {
    this.listener = listener;
  }

  setClientOptions(options: PipecatClientOptions): void {
    this.callbacks = options.callbacks ?? {};
    this.slots.mic.wanted = options.enableMic ?? true;
    this.slots.cam.wanted = options.enableCam ?? false;
  }

  /** What is to be on from the start. */
  want({ mic, cam }: { readonly mic: boolean; readonly cam: boolean }): void {
    this.slots.mic.wanted = mic;
    this.slots.cam.wanted = cam;
  }

  /** Never rejects: a call without a microphone still has text, pictures and the bot's voice. */
  async initialize(): Promise<void> {
    const kinds = (["mic", "cam"] as const).filter((kind) => {
      return this.slots[kind].wanted && !this.slots[kind].track;
    });
    await Promise.all(kinds.map((kind) => this.start(kind)));
  }

  /**
   * Stops a call that was ended before its line was up: small-webrtc-transport 1.10.8 looks for
   * that only after it has sent the offer, which would leave a line that nobody holds.
   */
  async connect(): Promise<void> {
    if (this.isClosed) throw new Error("The call has ended.");
  }

  /** Transports ask for it when their line ends; the call may go on over another one. */
  async disconnect(): Promise<void> {}

  close(): void {
    this.isClosed = true;
    for (const slot of Object.values(this.slots)) {
      slot.wanted = false;
      slot.track?.stop();
      slot.track = undefined;
    }
  }

  /** Asked for by the transport over WebSocket, which is given its sound otherwise (ways/sound.ts). */
  setUserAudioCallback(): void {}

  /** Whether the user has it switched on, also while the browser still asks. */
  wants(kind: DeviceKind): boolean {
    return this.slots[kind].wanted;
  }

  tracks(): Tracks {
    const { mic, cam, screen } = this.slots;
    return {
      local: {
        ...(mic.track && { audio: mic.track }),
        ...(cam.track && { video: cam.track }),
        ...(screen.track && { screenVideo: screen.track }),
      },
    };
  }

  track(kind: DeviceKind): MediaStreamTrack | undefined {
    return this.slots[kind].track;
  }

  enableMic(enable: boolean): void {
    this.enable("mic", enable);
  }
  enableCam(enable: boolean): void {
    this.enable("cam", enable);
  }
  enableScreenShare(enable: boolean): void {
    this.enable("screen", enable);
  }

  get isMicEnabled(): boolean {
    return this.stateOf("mic") === "on";
  }
  get isCamEnabled(): boolean {
    return this.stateOf("cam") === "on";
  }
  get isSharingScreen(): boolean {
    return this.stateOf("screen") === "on";
  }

  getAllMics(): Promise<MediaDeviceInfo[]> {
    return listDevices("audioinput");
  }
  getAllCams(): Promise<MediaDeviceInfo[]> {
    return listDevices("videoinput");
  }
  getAllSpeakers(): Promise<MediaDeviceInfo[]> {
    return listDevices("audiooutput");
  }

  updateMic(micId: string): void {
    this.choose("mic", micId);
  }
  updateCam(camId: string): void {
    this.choose("cam", camId);
  }
  updateSpeaker(): void {
    throw new UnsupportedFeatureError("updateSpeaker", "LocalMedia");
  }

  get selectedMic(): MediaDeviceInfo | Record<string, never> {
    return this.slots.mic.info ?? {};
  }
  get selectedCam(): MediaDeviceInfo | Record<string, never> {
    return this.slots.cam.info ?? {};
  }

  private stateOf(kind: DeviceKind): DeviceState {
    const { wanted, track } = this.slots[kind];
    if (!wanted) return "off";
    return track ? "on" : "starting";
  }

  private report(): void {
    if (this.isClosed) return;
    this.listener.onDevices({
      mic: this.stateOf("mic"),
      cam: this.stateOf("cam"),
      screen: this.stateOf("screen"),
    });
  }

  private enable(kind: DeviceKind, enable: boolean): void {
    const slot = this.slots[kind];
    slot.wanted = enable;
    if (slot.track && kind === "mic") {
      // A muted microphone goes on sending silence: without it a model that listens for the end
      // of a sentence would wait for ever.
      slot.track.enabled = enable;
    } else if (enable) {
      void this.start(kind);
    } else {
      this.drop(kind);
    }
    this.report();
  }

  private async start(kind: DeviceKind): Promise<void> {
    const slot = this.slots[kind];
    this.report();
    if (!navigator.mediaDevices) {
      this.giveUp(kind, "insecure");
      return;
    }
    let track: MediaStreamTrack;
    try {
      track = await capture(kind, slot.deviceId);
    } catch (error) {
      this.giveUp(kind, isSecondThought(kind, error) ? null : troubleOf(error));
      return;
    }
    // The user may have switched it off, or off and on again, while the browser was asking.
    if (!slot.wanted || slot.track || this.isClosed) {
      track.stop();
      return;
    }
    slot.track = track;
    track.addEventListener("ended", () => this.onEnded(kind, track));
    this.listener.onTrack(kind, track);
    this.report();
    await this.announce(kind, track);
  }

  /** The client counts a device as granted once it knows which one was chosen. */
  private async announce(kind: DeviceKind, track: MediaStreamTrack): Promise<void> {
    if (kind === "screen") return;
    const devices = await (kind === "mic" ? this.getAllMics() : this.getAllCams());
    const info = devices.find((device) => device.deviceId === track.getSettings().deviceId);
    this.slots[kind].info = info;
    if (!info) return;
    if (kind === "mic") this.callbacks.onMicUpdated?.(info);
    else this.callbacks.onCamUpdated?.(info);
  }

  private giveUp(kind: DeviceKind, trouble: DeviceTrouble | null): void {
    if (this.isClosed) return;
    this.slots[kind].wanted = false;
    this.report();
    if (trouble === null) {
      this.listener.onGone(kind);
      return;
    }
    this.listener.onTrouble(kind, trouble);
    if (kind === "screen") return;
    this.callbacks.onDeviceError?.(new DeviceError([kind], ERROR_TYPE[trouble]));
  }

  /** Stopping the track is what puts out the device's light. */
  private drop(kind: DeviceKind): void {
    const slot = this.slots[kind];
    if (!slot.track) return;
    slot.track.stop();
    slot.track = undefined;
    this.listener.onTrack(kind, null);
  }

  private choose(kind: "mic" | "cam", deviceId: string): void {
    const slot = this.slots[kind];
    const isRunning = slot.track !== undefined;
    slot.deviceId = deviceId;
    this.drop(kind);
    if (slot.wanted && isRunning) void this.start(kind);
  }

  private onEnded(kind: DeviceKind, track: MediaStreamTrack): void {
    const slot = this.slots[kind];
    if (slot.track !== track || this.isClosed) return;
    this.drop(kind);
    slot.deviceId = undefined;
    if (kind === "mic" && slot.wanted) {
      // Unplugged: the conversation goes on with whatever microphone is left.
      void this.start(kind);
      return;
    }
    slot.wanted = false;
    this.report();
    this.listener.onGone(kind);
  }
}

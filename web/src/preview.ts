/** Microphone and camera before a call: which there are, how loud one is, what one looks like. */
import { LocalMedia } from "./media";
import { Meter } from "./meter";
import type { Devices } from "./state";
import { words, type DeviceKind, type DeviceTrouble } from "./words";

export type ChosenDevices = Partial<Record<"mic" | "cam", string>>;

export interface PreviewListener {
  onChange(): void;
  onTrouble(kind: DeviceKind, trouble: DeviceTrouble): void;
}

export class Preview {
  readonly listener: PreviewListener;
  devices: Devices = { mic: "off", cam: "off", screen: "off" };
  mics: readonly MediaDeviceInfo[] = [];
  cams: readonly MediaDeviceInfo[] = [];
  private readonly meter = new Meter();
  private readonly media: LocalMedia;

  constructor(listener: PreviewListener) {
    this.listener = listener;
    this.media = new LocalMedia({
      onDevices: (devices) => {
        this.devices = devices;
        void this.list();
      },
      onTrack: (kind, track) => {
        if (kind === "mic") this.meter.measure(track && new MediaStream([track]));
        void this.list();
      },
      onTrouble: (kind, trouble) => listener.onTrouble(kind, trouble),
      onGone: () => void this.list(),
    });
  }

  async start(chosen: ChosenDevices): Promise<void> {
    if (chosen.mic) this.media.updateMic(chosen.mic);
    if (chosen.cam) this.media.updateCam(chosen.cam);
    this.meter.resume();
    await this.media.initialize();
  }

  showCamera(isShown: boolean): void {
    this.media.enableCam(isShown);
  }

  choose(kind: "mic" | "cam", deviceId: string): void {
    if (kind === "mic") this.media.updateMic(deviceId);
    else this.media.updateCam(deviceId);
  }

  /** Of the microphone, 0..1. */
  get level(): number {
    return this.meter.level;
  }

  get camera(): MediaStreamTrack | undefined {
    return this.media.track("cam");
  }

  /** The identifier of what is used at the moment. */
  used(kind: "mic" | "cam"): string | undefined {
    return this.media.track(kind)?.getSettings().deviceId;
  }

  /** Lets go of the devices: a call asks for its own. */
  stop(): void {
    this.media.close();
    this.meter.close();
  }

  /** Devices have names only once the user has allowed one of them. */
  private async list(): Promise<void> {
    [this.mics, this.cams] = await Promise.all([this.media.getAllMics(), this.media.getAllCams()]);
    this.listener.onChange();
  }
}

/** What a list of devices shows of one. */
export function nameOf(device: MediaDeviceInfo, index: number): string {
  const { microphone, camera, unnamed } = words.devices;
  return device.label || unnamed(device.kind === "audioinput" ? microphone : camera, index + 1);
}

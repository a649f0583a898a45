/**
 * What SmallWebRTCTransport 1.10.8 asks of its media manager.
 *
 * The transport's types name this package, but it is not published. Only the members that the
 * transport calls are listed; the package's own class has more, for transports that carry audio
 * as messages.
 */
declare module "@pipecat-ai/transport-lib" {
  import type { PipecatClientOptions, Tracks } from "@pipecat-ai/client-js";

  export interface MediaManager {
    setClientOptions(options: PipecatClientOptions): void;

    initialize(): Promise<void>;
    connect(): Promise<void>;
    disconnect(): Promise<void>;

    getAllMics(): Promise<MediaDeviceInfo[]>;
    getAllCams(): Promise<MediaDeviceInfo[]>;
    getAllSpeakers(): Promise<MediaDeviceInfo[]>;

    updateMic(micId: string): void;
    updateCam(camId: string): void;
    updateSpeaker(speakerId: string): void;

    readonly selectedMic: MediaDeviceInfo | Record<string, never>;
    readonly selectedCam: MediaDeviceInfo | Record<string, never>;
    readonly selectedSpeaker: MediaDeviceInfo | Record<string, never>;

    enableMic(enable: boolean): void;
    enableCam(enable: boolean): void;
    enableScreenShare(enable: boolean): void;

    readonly isMicEnabled: boolean;
    readonly isCamEnabled: boolean;
    readonly isSharingScreen: boolean;
    readonly supportsScreenShare: boolean;

    tracks(): Tracks;
  }

  export const WavMediaManager: unknown;
  export const DailyMediaManager: unknown;
}

/** Straight to the server, or through a relay: Pipecat's WebRTC transport, and what it leaves out. */
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import type { MediaManager } from "@pipecat-ai/transport-lib";
import { FRAME_RATE_FPS, canShareScreen } from "../capture";
import type { Session } from "../protocol";
import type { DeviceKind } from "../words";
import type { Sight } from "./fallback";
import type { Way } from "./way";

/** The transceivers' order is the protocol of Pipecat's SmallWebRTC transport, on both sides. */
const TRANSCEIVER: Record<DeviceKind, number> = { mic: 0, cam: 1, screen: 2 };

/** What `super` would be, if the transport's types had it. */
const TRANSPORT = SmallWebRTCTransport.prototype as unknown as {
  startNewPeerConnection(isAnother: boolean): Promise<void>;
  stop(error?: Error): Promise<void>;
};

const CONNECTED: readonly RTCIceConnectionState[] = ["connected", "completed"];

/**
 * Written for small-webrtc-transport 1.10.8. The members declared here, `closePeerConnection`,
 * `startNewPeerConnection`, `stop` and `addInitialTransceivers` belong to that version, though its types do not list them; tests/webrtc.test.ts tells when they are gone.
 */
export class WebRTCWay extends SmallWebRTCTransport implements Way {
  readonly name = "webrtc";
  readonly carriesVideo = true;
  declare private pc: RTCPeerConnection | null;
  declare private dc: RTCDataChannel | null;
  declare private _connectFailed: ((reason?: unknown) => void) | null;
  declare private pc_id: string | null;
  private replaces = false;
  /** Why the transport has given up, once it has; what the server answered is its cause. */
  trouble: Error | undefined;

  constructor(media: MediaManager) {
    super({ mediaManager: media });
  }

  connectionTo({ sessionId, iceConfig }: Session): unknown {
    return { sessionId, ...(iceConfig && { iceConfig }) };
  }

  /**
   * The transport's own transceivers, which send no more video than the bot looks at. A camera may
   * give more frames than it was asked for, and a screen always does while something moves.
   */
  protected addInitialTransceivers(): void {
    const sendEncodings = [{ maxFramerate: FRAME_RATE_FPS }];
    this.pc?.addTransceiver("audio", { direction: "sendrecv" });
    this.pc?.addTransceiver("video", { direction: "sendrecv", sendEncodings });
    if (canShareScreen())
      this.pc?.addTransceiver("video", { direction: "sendonly", sendEncodings });
  }

  /** The name of the connection, by which the server knows what is to be replaced. */
  get pcId(): string | null {
    return this.pc_id;
  }

  /** The first connection is to take the place of one that another page had. */
  replace(pcId: string): void {
    this.pc_id = pcId;
    this.replaces = true;
  }

  protected stop(error?: Error): Promise<void> {
    this.trouble = error;
    return TRANSPORT.stop.call(this, error);
  }

  protected startNewPeerConnection(isAnother = false): Promise<void> {
    const replaces = isAnother || this.replaces;
    this.replaces = false;
    return TRANSPORT.startNewPeerConnection.call(this, replaces);
  }

  /** All three transceivers are negotiated at the start, so a device switched on later only has to be put in. */
  async replaceTrack(kind: DeviceKind, track: MediaStreamTrack | null): Promise<void> {
    await this.sender(kind)?.replaceTrack(track);
  }

  /** The connection of the moment; what is on its senders is gone with it. */
  get connection(): RTCPeerConnection | null {
    return this.pc;
  }

  sender(kind: DeviceKind): RTCRtpSender | undefined {
    return this.pc?.getTransceivers()[TRANSCEIVER[kind]]?.sender;
  }

  /** A data channel stays open while its connection is interrupted, and what it takes may be lost. */
  get canSend(): boolean {
    return this.dc?.readyState === "open" && !this.isInterrupted;
  }

  /**
   * The bot's voice, as the connection of the moment has it. The client's `onTrackStarted` is not
   * enough: after a reconnection the old track's "ended" makes the transport forget the new track
   * before it has started.
   */
  get botTrack(): MediaStreamTrack | undefined {
    return this.pc?.getTransceivers()[TRANSCEIVER.mic]?.receiver.track;
  }

  /** The transport reconnects by itself, and says nothing about it. */
  get isInterrupted(): boolean {
    return this.pc === null || !CONNECTED.includes(this.pc.iceConnectionState);
  }

  get sight(): Sight | undefined {
    if (!this.pc) return undefined;
    return {
      ice: this.pc.iceConnectionState,
      isGathered: this.pc.iceGatheringState === "complete",
      isAnswered: this.pc.remoteDescription !== null,
    };
  }

  /** The server answered, and nothing that was tried since then gets through to it. */
  get hasNoWay(): boolean {
    return !!this.pc?.remoteDescription && this.isInterrupted;
  }

  /**
   * Ends the line on purpose. The transport would still reject the promise of its connection, which
   * by then may have nobody waiting for it: an error in the console where there is none.
   */
  override disconnect(): Promise<void> {
    this._connectFailed = null;
    return super.disconnect();
  }

  /**
   * Closes one peer connection, and leaves the user's tracks alone. The transport's own method also
   * stops them; but while it reconnects, the new connection is sending those very tracks, and the
   * user would go on speaking into a dead microphone. `LocalMedia` stops them when the call ends.
   */
  protected closePeerConnection(pc: RTCPeerConnection): void {
    pc.close();
  }
}

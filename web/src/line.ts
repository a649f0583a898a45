/** The WebRTC line to the server: Pipecat's transport, and what it leaves out. */
import { RTVIMessage } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import type { MediaManager } from "@pipecat-ai/transport-lib";
import { FRAME_RATE_FPS, canShareScreen } from "./capture";
import type { UploadedFile } from "./protocol";
import type { DeviceKind } from "./words";

/** The transceivers' order is the protocol of Pipecat's SmallWebRTC transport, on both sides. */
const TRANSCEIVER: Record<DeviceKind, number> = { mic: 0, cam: 1, screen: 2 };

const CONNECTED: readonly RTCIceConnectionState[] = ["connected", "completed"];

/**
 * Written for small-webrtc-transport 1.10.8. The members declared here, `closePeerConnection`
 * and `addInitialTransceivers` belong to that version, though its types do not list them; tests/line.test.ts tells when they are gone.
 */
export class Line extends SmallWebRTCTransport {
  declare private pc: RTCPeerConnection | null;
  declare private dc: RTCDataChannel | null;
  declare private _connectFailed: ((reason?: unknown) => void) | null;

  constructor(media: MediaManager) {
    super({ mediaManager: media });
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

  /** All three transceivers are negotiated at the start, so a device switched on later only has to be put in. */
  async replaceTrack(kind: DeviceKind, track: MediaStreamTrack | null): Promise<void> {
    await this.pc?.getTransceivers()[TRANSCEIVER[kind]]?.sender.replaceTrack(track);
  }

  /** A data channel stays open while its connection is interrupted, and what it takes may be lost. */
  get canSend(): boolean {
    return this.dc?.readyState === "open" && !this.isInterrupted;
  }

  /** client-js 1.13.1 has no method for `send-file`, which Pipecat 1.14 understands. */
  sendFile(content: string, file: UploadedFile): void {
    this.sendMessage(new RTVIMessage("send-file", { content, file }));
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

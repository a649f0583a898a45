/** The ways to the server: what each does for a call, and how one is opened. */
import { RTVIMessage, type Transport as Pipecats } from "@pipecat-ai/client-js";
import { ServerError } from "../api";
import type { LocalMedia } from "../media";
import type { Session, Transport, UploadedFile } from "../protocol";
import { words, type DeviceKind } from "../words";
import type { Sight } from "./fallback";

/** One of Pipecat's transports, and what a call asks of it beyond that. */
export interface Way extends Pipecats {
  readonly name: Transport;
  /** Whether it carries camera and screen. */
  readonly carriesVideo: boolean;
  /** What the transport's `connect()` takes, out of what the server has answered. */
  connectionTo(session: Session): unknown;
  /** Whether a message that is sent now arrives. */
  readonly canSend: boolean;
  readonly botTrack: MediaStreamTrack | undefined;
  /** It is not up, or not up for the moment. */
  readonly isInterrupted: boolean;
  /** The server answered, and nothing gets through to it. */
  readonly hasNoWay: boolean;
  /** How far a connection is that may not come about; nothing where the browser says no more than that it fails. */
  readonly sight?: Sight | undefined;
  /** The name of its connection, by which a page that comes after this one may replace it. */
  readonly pcId?: string | null;
  replace?(pcId: string): void;
  /** Why it has given up, once it has; what the server answered is its cause. */
  readonly trouble?: Error | undefined;
  /** What there is to measure, where the browser measures it. */
  readonly connection?: RTCPeerConnection | null;
  sender?(kind: DeviceKind): RTCRtpSender | undefined;
  /** What is sent from now on. */
  replaceTrack(kind: DeviceKind, track: MediaStreamTrack | null): Promise<void>;
}

/** Loads the usual way beforehand; whoever opens it is told what went wrong. */
export function prepareWay(): void {
  import("./webrtc").catch(() => {});
}

/** Each is a file of its own, which is loaded when it is chosen. */
export async function openWay(name: Transport, media: LocalMedia): Promise<Way> {
  try {
    switch (name) {
      case "webrtc":
        return new (await import("./webrtc")).WebRTCWay(media);
      case "websocket":
        return new (await import("./websocket")).WebSocketWay(media);
      case "daily":
        return new (await import("./daily")).DailyWay(media);
    }
  } catch {
    throw new ServerError(words.ways.notLoaded);
  }
}

/** client-js 1.13.1 has no method for `send-file`, which Pipecat 1.14 understands. */
export function sendFile(way: Way, content: string, file: UploadedFile): void {
  way.sendMessage(new RTVIMessage("send-file", { content, file }));
}

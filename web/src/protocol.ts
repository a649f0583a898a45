/** What the server sends: the JSON of its routes, and its own messages over the line. */

export interface Persona {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly default?: boolean;
}

export interface PictureLimits {
  readonly max_bytes: number;
  readonly types: readonly string[];
}

/** `GET /api/salon` */
export interface Salon {
  readonly name: string;
  readonly offline: boolean;
  readonly model: string;
  readonly notice: string | null;
  readonly personas: readonly Persona[];
  readonly pictures: PictureLimits;
}

/** `POST /start` */
export interface Session {
  readonly sessionId: string;
  readonly fileUploadUrl?: string;
  readonly iceConfig?: { readonly iceServers: RTCIceServer[] };
}

/** `POST {fileUploadUrl}`: goes back to the server as it is, in a `send-file` message. */
export interface UploadedFile {
  readonly name: string;
  readonly format: string;
  readonly source: { readonly type: string; readonly url: string };
}

export interface SessionMessage {
  readonly type: "session";
  readonly persona: string;
  readonly title: string;
  readonly model: string;
  readonly offline: boolean;
  readonly time_limit_s: number | null;
}

/** The server's own link to the model, beyond the line between it and this page. */
export interface LinkMessage {
  readonly type: "link";
  readonly state:
    "connecting" | "ready" | "draining" | "resuming" | "reseeding" | "degraded" | "failed";
  readonly text: string;
  /** The sentence is worth reading although the link is ready. */
  readonly notice?: boolean;
}

export interface PictureMessage {
  readonly type: "picture";
  readonly state: "seen" | "refused";
  readonly name: string;
  readonly text: string;
}

export interface EndedMessage {
  readonly type: "ended";
  readonly text: string;
}

export type ServerMessage = SessionMessage | LinkMessage | PictureMessage | EndedMessage;

const TYPES: readonly string[] = ["session", "link", "picture", "ended"];

/** A server newer than this page may send messages that the page does not know; those are left alone. */
export function isServerMessage(data: unknown): data is ServerMessage {
  return (
    typeof data === "object" &&
    data !== null &&
    "type" in data &&
    typeof data.type === "string" &&
    TYPES.includes(data.type)
  );
}

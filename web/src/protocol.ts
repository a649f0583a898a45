/** What the server sends: the JSON of its routes, and its own messages over the line. */

export interface Persona {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly default?: boolean;
  readonly voice: string;
  /** A path on the server. */
  readonly picture: string | null;
  /** By language, such as "zh". */
  readonly translations: Readonly<Record<string, Pick<Persona, "title" | "summary">>>;
}

export type Transport = "webrtc" | "websocket" | "daily";

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
  /** Whether whoever starts a call has to show a key, or a token. */
  readonly needs_key?: boolean;
  readonly personas: readonly Persona[];
  readonly pictures: PictureLimits;
  readonly voices: readonly string[];
  /** BCP-47 codes. */
  readonly languages: readonly string[];
  /** The one that is spoken when none is chosen. */
  readonly language: string;
  readonly transports: readonly Transport[];
  /** Whether a call may, or must, bring a Gemini API key of its own. */
  readonly model_key: "no" | "may" | "must";
}

/** `POST /start` */
export interface Session {
  readonly sessionId: string;
  readonly fileUploadUrl?: string;
  readonly iceConfig?: { readonly iceServers: RTCIceServer[] };
  readonly wsUrl?: string;
  readonly dailyRoom?: string;
  readonly dailyToken?: string;
}

/** `GET /sessions/{sessionId}`, of a session that is over */
export interface Ending {
  readonly state: "ended";
  readonly reason: string;
  readonly text: string;
}

export type SessionState = { readonly state: "running" } | Ending;

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
  readonly voice: string;
  readonly language: string;
  readonly answers: "voice" | "text";
  /** The page was away, and the conversation has gone on. */
  readonly resumed?: boolean;
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

/** The conversation will end soon: what it may use of time, tokens or money is nearly used. */
export interface LimitMessage {
  readonly type: "limit";
  readonly limit: "time" | "tokens" | "cost";
  /** In seconds, tokens or US dollars. */
  readonly left: number;
  readonly text: string;
}

/** What the conversation has taken so far. */
export interface UsageMessage {
  readonly type: "usage";
  readonly elapsed_s: number;
  /** Null: it may go on for ever. */
  readonly left_s: number | null;
  readonly tokens: number;
  /** In US dollars; null when a price is not known. */
  readonly cost_usd: number | null;
}

/** The frame that the model was shown last. */
export interface LookingMessage {
  readonly type: "looking";
  readonly source: "camera" | "screenVideo";
  readonly width: number;
  readonly height: number;
  /** In base64. */
  readonly jpeg: string;
}

/** The user broke in; `heard` is what they had heard of the sentence. */
export interface InterruptedMessage {
  readonly type: "interrupted";
  readonly heard: string;
}

export interface EndedMessage {
  readonly type: "ended";
  readonly text: string;
}

export type ServerMessage =
  | SessionMessage
  | LinkMessage
  | PictureMessage
  | LimitMessage
  | UsageMessage
  | LookingMessage
  | InterruptedMessage
  | EndedMessage;

const TYPES: readonly string[] = [
  "session",
  "link",
  "picture",
  "limit",
  "usage",
  "looking",
  "interrupted",
  "ended",
];

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

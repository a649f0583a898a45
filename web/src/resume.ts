/** What a page keeps of its call when it is left, so that the page that is loaded next can go on with it. */
import type { Choices } from "./choices";
import type { Turn, Turns } from "./turns";

/** As long as a server waits unless it is told otherwise (`SALON_RESUME_S`). */
export const RESUME_MS = 30_000;

const NAME = "salon.call";

/** Nothing here is secret but the session's id and the passwords of its relays, and never a key. */
export interface Kept {
  readonly sessionId: string;
  /** The connection that is to be replaced. */
  readonly pcId: string;
  readonly fileUploadUrl?: string;
  readonly iceConfig?: { readonly iceServers: RTCIceServer[] };
  readonly choices: Choices;
  /** Whom the page's address asked for. */
  readonly wantedPersona: string | null;
  /** Who was muted is not heard when the page is back. */
  readonly isMicOn: boolean;
  readonly isCamOn: boolean;
  readonly turns: Turns;
  /** Milliseconds since 1970. */
  readonly leftAt: number;
}

/** Turns that need nothing of the page that they were made in: a picture is gone with it. */
export function keepTurns(turns: Turns): Turns {
  return turns.map((turn): Turn => {
    if (turn.kind === "picture") return { id: turn.id, kind: "typed", text: turn.text };
    return turn.kind === "answer" && turn.phase === "open" ? { ...turn, phase: "paused" } : turn;
  });
}

/** The call that a text tells of, if it is one and may still be going on. */
export function read(text: string | null, now: number): Kept | null {
  if (text === null) return null;
  try {
    const kept: Kept = JSON.parse(text);
    const age = now - kept.leftAt;
    return kept.sessionId && kept.pcId && age >= 0 && age < RESUME_MS ? kept : null;
  } catch {
    return null;
  }
}

/** Whether it could be kept: a browser may have no room for it, or be told to keep nothing. */
export function keep(kept: Kept): boolean {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

/** The call that this page's predecessor has left, once. */
export function keptCall(): Kept | null {
  try {
    const text = sessionStorage.getItem(NAME);
    sessionStorage.removeItem(NAME);
    return read(text, Date.now());
  } catch {
    return null;
  }
}

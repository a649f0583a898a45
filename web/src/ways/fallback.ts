/** Decides when a WebRTC connection will not come about. No clock, no connection. */

/** How far a connection is. */
export interface Sight {
  readonly ice: RTCIceConnectionState;
  /** All of the browser's own candidates are found. */
  readonly isGathered: boolean;
  /** The server's answer is in, with all of its candidates. */
  readonly isAnswered: boolean;
}

/** Both sides have all their candidates: those that work answer within two or three seconds. */
export const CHECKING_MS = 8_000;

/** A relay that can't be reached keeps a browser gathering for half a minute and longer. */
export const ANSWERED_MS = 12_000;

const UP: readonly RTCIceConnectionState[] = ["connected", "completed"];

/** Follows one call; its transport may try several connections one after the other. */
export class Fallback {
  private answeredAt = Infinity;
  private completeAt = Infinity;
  private wasUp = false;

  /** Whether another way has to be taken; `now` is in milliseconds. What was up once only reconnects. */
  isBlocked({ ice, isGathered, isAnswered }: Sight, now: number): boolean {
    this.wasUp ||= UP.includes(ice);
    if (isAnswered) this.answeredAt = Math.min(this.answeredAt, now);
    if (isAnswered && isGathered) this.completeAt = Math.min(this.completeAt, now);
    if (this.wasUp) return false;
    return (
      (isAnswered && ice === "failed") ||
      now - this.completeAt >= CHECKING_MS ||
      now - this.answeredAt >= ANSWERED_MS
    );
  }
}

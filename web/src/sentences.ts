/** What the page says of a state: of the line, of who answers, of time and money. */
import type { LimitMessage, LinkMessage } from "./protocol";
import type { State, Usage } from "./state";
import { words } from "./words";

function withStop(sentence: string): string {
  return /[.!?…。]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** The server says what its link to the model does, in English. */
export function linkText(link: LinkMessage): string {
  return link.notice ? link.text : (words.link?.[link.state] ?? link.text);
}

export function limitText(limit: LimitMessage): string {
  return words.limit?.[limit.limit] ?? limit.text;
}

function isShowing({ devices }: State): boolean {
  return devices.cam === "on" || devices.screen === "on";
}

/** Something is in the way of the conversation, for the moment. */
export function isHindered({ line, link, network }: State): boolean {
  if (line.phase !== "ready") return line.phase === "connecting";
  return line.reconnecting || network === "slow" || (!!link && link.state !== "ready");
}

/** The state of the line, in a few plain words. */
export function status(state: State): string {
  const { line, link, isFallback } = state;
  switch (line.phase) {
    case "idle":
      return words.line.idle;
    case "connecting":
      return isFallback ? words.ways.fallingBack : words.line.connecting;
    case "ready":
      if (line.reconnecting) return words.line.reconnecting;
      if (link && (link.state !== "ready" || link.notice)) return withStop(linkText(link));
      if (state.network === "slow") return isShowing(state) ? words.slow.video : words.slow.sound;
      return words.line.ready;
    case "ended":
      return words.line.ended(line.reason);
    case "failed":
      return words.line.failed; // an alert says why, and what to do
  }
}

/** Who answers. */
export function sessionNote({ session }: State): string {
  if (!session) return "";
  return [session.title, session.model, ...(session.offline ? [words.offline] : [])].join(" · ");
}

/** "4:07" */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** How much longer the conversation may go on, in seconds; null: as long as one likes. */
export function leftAt(usage: Usage, now_ms: number): number | null {
  return usage.left_s === null ? null : usage.left_s - (now_ms - usage.at_ms) / 1000;
}

/** What the conversation has cost, as exactly as one can tell; null where that is not known. */
export function costOf({ cost_usd }: Usage): string | null {
  if (cost_usd === null) return null;
  return `$${cost_usd.toFixed(cost_usd < 1 ? 3 : 2)}`;
}

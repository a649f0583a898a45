/** What the page says of a state: of the line, of who answers, of time and money. */
import type { Persona } from "./protocol";
import type { State, Usage } from "./state";
import { said, spokenLanguage, words } from "./words";

function withStop(sentence: string): string {
  return /[.!?…。]$/.test(sentence) ? sentence : `${sentence}.`;
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
      if (link && (link.state !== "ready" || link.notice)) return withStop(said(link.text));
      if (state.network === "slow") return isShowing(state) ? words.slow.video : words.slow.sound;
      return words.line.ready;
    case "ended":
      return words.line.ended(line.reason);
    case "failed":
      return words.line.failed; // an alert says why, and what to do
  }
}

/** A persona in the page's language, where it is translated. */
export function introduced(persona: Persona): Pick<Persona, "title" | "summary"> {
  return persona.translations[spokenLanguage()] ?? persona;
}

/** Who answers. */
export function sessionNote({ session }: State, personas: readonly Persona[] = []): string {
  if (!session) return "";
  const persona = personas.find(({ name }) => name === session.persona);
  const { title } = persona ? introduced(persona) : session;
  return [title, session.model, ...(session.offline ? [words.offline] : [])].join(" · ");
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

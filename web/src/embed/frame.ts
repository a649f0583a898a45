/** The page when another page shows it in a frame, as `<salon-call>` does (docs/embedding.md). */
import type { Line } from "../state";

export type Phase = Line["phase"];

/** What the page tells the one around it. */
export interface StateMessage {
  readonly type: "salon-state";
  readonly state: Phase;
}

/** What the page's address asks for. */
export interface Wishes {
  readonly persona: string | null;
  readonly language: string | null;
  readonly isEmbedded: boolean;
}

export function wishesIn(search: string): Wishes {
  const asked = new URLSearchParams(search);
  return {
    persona: asked.get("persona"),
    language: asked.get("language"),
    isEmbedded: asked.get("embed") === "1",
  };
}

let told: Phase | null = null;

/** Tell the page around this one, and nobody else, when the call comes to another phase. */
export function announce(phase: Phase): void {
  // The element has its frame name the page that it is in, whatever that page's own policy says.
  if (window.parent === window || phase === told || document.referrer === "") return;
  told = phase;
  const message: StateMessage = { type: "salon-state", state: phase };
  window.parent.postMessage(message, new URL(document.referrer).origin);
}

/** What is chosen before a call. */
import type { Transport } from "./protocol";

export interface Choices {
  readonly persona: string;
  readonly answers?: "voice" | "text";
  readonly voice?: string;
  readonly language?: string;
  readonly transport?: Transport;
}

/** Sent once, when the call begins, and kept nowhere. */
export interface Keys {
  readonly server: string;
  readonly model: string;
}

const TRANSPORTS: readonly string[] = ["webrtc", "websocket", "daily"] satisfies Transport[];

function isTransport(name: string): name is Transport {
  return TRANSPORTS.includes(name);
}

/** What a form says; a field that is left empty leaves it to the server. */
export function readChoices(form: FormData): { choices: Choices; keys: Keys } {
  const field = (name: string): string => {
    const value = form.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const [voice, language, transport] = [field("voice"), field("language"), field("transport")];
  return {
    choices: {
      persona: field("persona"),
      answers: field("answers") === "text" ? "text" : "voice",
      ...(voice && { voice }),
      ...(language && { language }),
      ...(isTransport(transport) && { transport }),
    },
    keys: { server: field("server-key"), model: field("model-key") },
  };
}

/** Why a call does not come about or can't go on, as a sentence for the user. */
import { sentenceOf, ServerError } from "./api";
import { words, type WhyOver } from "./words";

function whyOver(error: unknown): WhyOver {
  // The transport keeps the server's answer to its offer as the cause.
  const answer = error instanceof Error ? error.cause : undefined;
  if (!(answer instanceof Response)) return "unreachable";
  if (answer.status === 409) return "elsewhere";
  return answer.status === 410 ? "ended" : "unknown";
}

/** Of a call that was going on. */
export function overOf(error: unknown): string {
  return words.over(whyOver(error));
}

/** Of a call that was to begin. */
export async function reasonOf(error: unknown): Promise<string> {
  if (error instanceof ServerError) return error.message;
  if (error instanceof Error && error.cause instanceof Response) return sentenceOf(error.cause);
  return words.connectionFailed;
}

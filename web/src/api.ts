/** The server's routes. Whatever goes wrong is told as one sentence. */
import type { Choices, Keys } from "./choices";
import type { Ending, Salon, Session, SessionState, Transport, UploadedFile } from "./protocol";
import { said, words } from "./words";

/** `message` is a sentence for the user. */
export class ServerError extends Error {}

/** Starting a session may have to wait for a process to be warm; more than this is a fault. */
const TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;

/** Errors are `{"detail": "one sentence"}`; a proxy in between may answer with anything. */
export async function sentenceOf(response: Response): Promise<string> {
  try {
    const { detail }: { detail?: unknown } = await response.json();
    if (typeof detail === "string" && detail !== "") return withWait(detail, response);
  } catch {
    // Not JSON: the status has to do.
  }
  return words.serverRefused(response.status);
}

/** The server says when to try again in its header, and no more than "later" in its sentence. */
function withWait(sentence: string, response: Response): string {
  const seconds = Number(response.headers.get("Retry-After"));
  const [what] = sentence.split(/; please try again/);
  return seconds > 0 && what !== sentence
    ? words.ways.tryAgainIn(said(what!), seconds)
    : said(sentence);
}

async function request<T>(url: string, init: RequestInit = {}): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal });
  } catch {
    throw new ServerError(timeout.aborted ? words.serverTooSlow : words.serverUnreachable);
  }
  if (!response.ok) throw new ServerError(await sentenceOf(response));
  try {
    return await response.json();
  } catch {
    throw new ServerError(words.serverSpeaksOtherwise);
  }
}

export function fetchSalon(): Promise<Salon> {
  return request<Salon>("/api/salon");
}

export const START = "/start";

/** The keys are sent for this and kept nowhere. */
export function startSession(
  choices: Choices,
  keys: Keys,
  transport: Transport,
  signal: AbortSignal,
): Promise<Session> {
  const { transport: _, ...body } = choices;
  return request<Session>(START, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(keys.server !== "" && { Authorization: `Bearer ${keys.server}` }),
      ...(keys.model !== "" && { "X-Goog-Api-Key": keys.model }),
    },
    body: JSON.stringify({
      transport,
      ...(transport === "daily" && { createDailyRoom: true }),
      body,
    }),
    signal,
  });
}

/**
 * Says goodbye: otherwise the server would wait for the page to come back. Goes out while a page
 * closes, too; whoever leaves need not hear that it failed.
 */
export async function endSession(sessionId: string): Promise<void> {
  const init = { method: "DELETE", keepalive: true, signal: AbortSignal.timeout(END_TIMEOUT_MS) };
  await fetch(`/sessions/${sessionId}`, init).catch(() => {});
}

/** How long the server may take to answer that a session has not ended. */
const WAIT_S = 25;
const RETRY_MS = 3_000;

/**
 * Why a session ended, once it has. A session whose process is gone can't tell so itself; the server
 * can. Null when the server does not know the session any more.
 */
export async function endOf(sessionId: string, signal: AbortSignal): Promise<Ending | null> {
  while (!signal.aborted) {
    try {
      const response = await fetch(`/sessions/${sessionId}?wait_s=${WAIT_S}`, { signal });
      if (response.status === 404 || response.status === 410) return null;
      if (response.ok) {
        const state: SessionState = await response.json();
        if (state.state === "ended") return state;
        continue;
      }
    } catch {
      // Out of reach for now; the call itself may be well.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return null;
}

export function upload(url: string, file: File, signal: AbortSignal): Promise<UploadedFile> {
  const body = new FormData();
  body.append("file", file);
  return request<UploadedFile>(url, { method: "POST", body, signal });
}

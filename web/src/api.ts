/** The server's routes. Whatever goes wrong is told as one sentence. */
import type { Salon, Session, UploadedFile } from "./protocol";
import { words } from "./words";

/** `message` is a sentence for the user. */
export class ServerError extends Error {}

/** Starting a session may have to wait for a process to be warm; more than this is a fault. */
const TIMEOUT_MS = 30_000;

/** Errors are `{"detail": "one sentence"}`; a proxy in between may answer with anything. */
export async function sentenceOf(response: Response): Promise<string> {
  try {
    const { detail }: { detail?: unknown } = await response.json();
    if (typeof detail === "string" && detail !== "") return detail;
  } catch {
    // Not JSON: the status has to do.
  }
  return words.serverRefused(response.status);
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

export function startSession(persona: string, signal: AbortSignal): Promise<Session> {
  return request<Session>(START, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ transport: "webrtc", body: { persona } }),
    signal,
  });
}

export function upload(url: string, file: File, signal: AbortSignal): Promise<UploadedFile> {
  const body = new FormData();
  body.append("file", file);
  return request<UploadedFile>(url, { method: "POST", body, signal });
}

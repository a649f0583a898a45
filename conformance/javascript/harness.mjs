// The order of the checks, and what is done with each outcome. Prints what harness.py prints.

import { setTimeout as sleep } from "node:timers/promises";

export const MODEL = "gemini-3.8-live";
export const TOOL_NAME = "get_weather";
export const TOOL_REQUEST = "Please use get_weather city=Paris";
export const TOOL_RESULT = { weather: "sunny", degrees: 21 };
/** What an answer that tells the result has in it. */
export const TOOL_WORDS = ["sunny", "21"];

const CHECK_DEADLINE_MS = 20_000;

/**
 * Runs the checks one after the other and prints what becomes of each.
 *
 * @param versions of each package under test.
 * @param checks by capability; each returns `{ note, heardMs }`, or rejects.
 */
export async function report(versions, checks) {
  print({ versions: { Node: process.versions.node, ...versions } });
  for (const [capability, check] of Object.entries(checks)) {
    try {
      const { note, heardMs } = await deadline(check);
      print({ capability, ok: true, note, heard_ms: heardMs ?? null });
    } catch (error) {
      print({ capability, ok: false, note: error.message, heard_ms: null });
    }
  }
}

export function expect(isSo, otherwise) {
  if (!isSo) throw new Error(otherwise);
}

function print(object) {
  console.log(JSON.stringify(object));
}

/** Rejects when a check takes too long; its session is left to the end of the process. */
async function deadline(check) {
  const timer = new AbortController();
  const late = sleep(CHECK_DEADLINE_MS, null, { signal: timer.signal }).then(() => {
    throw new Error(`not within ${CHECK_DEADLINE_MS / 1000} s`);
  });
  try {
    return await Promise.race([check(), late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

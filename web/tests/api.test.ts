import { afterEach, expect, test, vi } from "vitest";
import { endOf, endSession, fetchSalon, sentenceOf, startSession, upload } from "../src/api";
import { words } from "../src/words";

const TUTOR = { persona: "tutor" };
const NO_KEYS = { server: "", model: "" };

afterEach(() => vi.unstubAllGlobals());

function stubFetch(answer: () => Response | Promise<Response>) {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => answer());
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

test("a session is started with the persona that was chosen", async () => {
  const fetch = stubFetch(() => Response.json({ sessionId: "s1" }));
  const session = await startSession(TUTOR, NO_KEYS, "webrtc", new AbortController().signal);
  expect(session.sessionId).toBe("s1");
  expect(fetch.mock.calls[0]![0]).toBe("/start");
  expect(JSON.parse(fetch.mock.calls[0]![1]!.body as string)).toEqual({
    transport: "webrtc",
    body: { persona: "tutor" },
  });
  expect(fetch.mock.calls[0]![1]!.headers).not.toHaveProperty("Authorization");
});

test("a key is shown to the server that asks for one", async () => {
  const fetch = stubFetch(() => Response.json({ sessionId: "s1" }));
  await startSession(
    TUTOR,
    { server: "a key", model: "another" },
    "webrtc",
    new AbortController().signal,
  );
  expect(fetch.mock.calls[0]![1]!.headers).toMatchObject({
    Authorization: "Bearer a key",
    "X-Goog-Api-Key": "another",
  });
});

test("a Daily room is made for who wants to meet in one", async () => {
  const fetch = stubFetch(() => Response.json({ sessionId: "s1" }));
  await startSession(TUTOR, NO_KEYS, "daily", new AbortController().signal);
  expect(JSON.parse(fetch.mock.calls[0]![1]!.body as string)).toMatchObject({
    transport: "daily",
    createDailyRoom: true,
  });
});

test.each([
  [
    "All lines are busy; please try again in a minute.",
    "30",
    "All lines are busy: try again in 30",
  ],
  ["The server is closing; please try again soon.", "1", "closing: try again in 1 second."],
  ["There are 2 calls already; end one of them first.", "30", "already; end one of them first."],
  ["All lines are busy; please try again in a minute.", "soon", "please try again in a minute."],
])("a server that is full says when to try again: %s %s", async (detail, wait, told) => {
  stubFetch(() => Response.json({ detail }, { status: 503, headers: { "Retry-After": wait } }));
  await expect(fetchSalon()).rejects.toThrow(told);
});

test("a session is ended in words that survive the page, and nobody waits for what went wrong", async () => {
  const fetch = stubFetch(() => Promise.reject(new TypeError("Failed to fetch")));
  await endSession("s1");
  expect(fetch.mock.calls[0]).toMatchObject([
    "/sessions/s1",
    { method: "DELETE", keepalive: true },
  ]);
});

test("a picture is uploaded as the form field that the server expects", async () => {
  const fetch = stubFetch(() => Response.json({}));
  const file = new File(["x"], "a.png", { type: "image/png" });
  await upload("/sessions/s1/files", file, new AbortController().signal);
  expect((fetch.mock.calls[0]![1]!.body as FormData).get("file")).toMatchObject({ name: "a.png" });
});

test("the server's own sentence is passed on", async () => {
  stubFetch(() => Response.json({ detail: "All places are taken." }, { status: 503 }));
  await expect(fetchSalon()).rejects.toThrow("All places are taken.");
});

test("an answer that is not ours still makes a sentence", async () => {
  expect(await sentenceOf(new Response("<html>", { status: 502 }))).toBe(words.serverRefused(502));
  const listed = Response.json({ detail: [{ msg: "field required" }] }, { status: 422 });
  expect(await sentenceOf(listed)).toBe(words.serverRefused(422));
  stubFetch(() => new Response("<html>"));
  await expect(fetchSalon()).rejects.toThrow(words.serverSpeaksOtherwise);
});

test("a server that cannot be reached is named", async () => {
  stubFetch(() => Promise.reject(new TypeError("Failed to fetch")));
  await expect(fetchSalon()).rejects.toThrow(words.serverUnreachable);
});

test("the end of a session is waited for, over and over, until it comes", async () => {
  const ended = { state: "ended", reason: "crashed", text: "Something broke." };
  const answers = [{ state: "running" }, { state: "running" }, ended];
  const fetch = stubFetch(() => Response.json(answers.shift()));
  expect(await endOf("s1", new AbortController().signal)).toEqual(ended);
  expect(fetch).toHaveBeenCalledTimes(3);
  expect(fetch.mock.calls[0]![0]).toBe("/sessions/s1?wait_s=25");
});

test("a session that the server does not know any more has no end to wait for", async () => {
  const fetch = stubFetch(() => Response.json({ detail: "Gone." }, { status: 410 }));
  expect(await endOf("s1", new AbortController().signal)).toBeNull();
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("a server that is out of reach for a while is asked again", async () => {
  vi.useFakeTimers();
  const ended = { state: "ended", reason: "hung", text: "It hung." };
  let asked = 0;
  stubFetch(() => (++asked < 2 ? Promise.reject(new TypeError("Failed")) : Response.json(ended)));
  const end = endOf("s1", new AbortController().signal);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await end).toEqual(ended);
  vi.useRealTimers();
});

import { afterEach, expect, test, vi } from "vitest";
import { fetchSalon, sentenceOf, startSession, upload } from "../src/api";
import { words } from "../src/words";

afterEach(() => vi.unstubAllGlobals());

function stubFetch(answer: () => Response | Promise<Response>) {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => answer());
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

test("a session is started with the persona that was chosen", async () => {
  const fetch = stubFetch(() => Response.json({ sessionId: "s1" }));
  const session = await startSession("tutor", new AbortController().signal);
  expect(session.sessionId).toBe("s1");
  expect(fetch.mock.calls[0]![0]).toBe("/start");
  expect(JSON.parse(fetch.mock.calls[0]![1]!.body as string)).toEqual({
    transport: "webrtc",
    body: { persona: "tutor" },
  });
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

import { afterEach, describe, expect, test, vi } from "vitest";
import { keep, keepTurns, keptCall, read, RESUME_MS, type Kept } from "../src/resume";
import { INITIAL, reduce } from "../src/state";
import type { Turns } from "../src/turns";

afterEach(() => vi.unstubAllGlobals());

const kept: Kept = {
  sessionId: "s1",
  pcId: "p1",
  choices: { persona: "companion" },
  wantedPersona: null,
  isMicOn: false,
  isCamOn: true,
  turns: [{ id: 0, kind: "typed", text: "good evening" }],
  leftAt: 1_000,
};
const text = JSON.stringify(kept);

function stubStorage() {
  const items = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  });
  return items;
}

describe("what was kept of a call", () => {
  test("is taken up while the server waits for it", () => {
    expect(read(text, 1_000)).toEqual(kept);
    expect(read(text, 1_000 + RESUME_MS - 1)).toEqual(kept);
    expect(read(text, 1_000 + RESUME_MS)).toBeNull();
  });

  test("is left alone when the clock was set back, or it is something else", () => {
    expect(read(text, 999)).toBeNull();
    for (const other of [null, "", "{", "null", "7", "{}", '{"sessionId":"s1","leftAt":1000}'])
      expect(read(other, 1_000)).toBeNull();
  });

  test("is taken up by one page only", () => {
    stubStorage();
    expect(keep({ ...kept, leftAt: Date.now() })).toBe(true);
    expect(keptCall()).toMatchObject({ sessionId: "s1", isMicOn: false });
    expect(keptCall()).toBeNull();
  });

  test("can't be kept where the browser keeps nothing", () => {
    vi.stubGlobal("sessionStorage", undefined);
    expect(keep(kept)).toBe(false);
    expect(keptCall()).toBeNull();
  });
});

describe("the turns that are kept", () => {
  const turns: Turns = [
    { id: 0, kind: "answer", phase: "done", text: "Hello." },
    {
      id: 1,
      kind: "picture",
      text: "What is it?",
      picture: { name: "a.png", url: "blob:1", state: "seen", note: "" },
    },
    { id: 2, kind: "answer", phase: "open", text: "It is" },
  ];

  test("are text: the picture is gone with its page", () => {
    expect(keepTurns(turns)[1]).toEqual({ id: 1, kind: "typed", text: "What is it?" });
  });

  test("go on where the bot was speaking", () => {
    const resuming = reduce(INITIAL, { type: "resuming", turns: keepTurns(turns) });
    expect(resuming.line.phase).toBe("connecting");
    const after = reduce(resuming, { type: "bot-output", text: " red." });
    expect(after.turns.map(({ text }) => text)).toEqual(["Hello.", "What is it?", "It is red."]);
  });
});

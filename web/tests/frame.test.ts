import { describe, expect, it, vi } from "vitest";
import { wishesIn } from "../src/embed/frame";

describe("what the page's address asks for", () => {
  it("is a persona, a language and to be in a frame", () => {
    expect(wishesIn("?embed=1&persona=art-critic&language=zh")).toEqual({
      persona: "art-critic",
      language: "zh",
      isEmbedded: true,
    });
  });

  it("is nothing by itself", () => {
    expect(wishesIn("")).toEqual({ persona: null, language: null, isEmbedded: false });
  });
});

describe("what the page tells the one around it", () => {
  async function told(window: object, referrer: string): Promise<[{ state: string }, string][]> {
    const postMessage = vi.fn<(message: { state: string }, origin: string) => void>();
    vi.resetModules();
    vi.stubGlobal("window", { parent: { postMessage }, ...window });
    vi.stubGlobal("document", { referrer });
    const { announce } = await import("../src/embed/frame");
    (["idle", "idle", "connecting", "idle"] as const).forEach(announce);
    vi.unstubAllGlobals();
    return postMessage.mock.calls;
  }

  it("is each new phase, to the origin that opened the frame", async () => {
    const calls = await told({}, "https://www.example.com/somewhere");
    expect(calls.map(([message]) => message.state)).toEqual(["idle", "connecting", "idle"]);
    expect(new Set(calls.map(([, origin]) => origin))).toEqual(
      new Set(["https://www.example.com"]),
    );
  });

  it("is nothing when nobody says who that is", async () => {
    expect(await told({}, "")).toEqual([]);
  });
});

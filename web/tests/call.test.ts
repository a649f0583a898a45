import type { PipecatClient } from "@pipecat-ai/client-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Call } from "../src/call";
import { keptCall, type Kept } from "../src/resume";
import { openWay } from "../src/ways/way";

const asked = vi.hoisted(() => ({
  devices: vi.fn<PipecatClient["initDevices"]>(),
  connection: vi.fn<() => Promise<unknown>>(),
}));

vi.mock("../src/ways/way", () => ({
  openWay: vi.fn(async () => ({ carriesVideo: true, connectionTo: () => ({}) })),
}));
vi.mock("@pipecat-ai/client-js", async (original) => ({
  ...(await original<object>()),
  PipecatClient: class {
    initDevices = asked.devices;
    connect = asked.connection;
    async disconnect() {}
  },
}));

const never = () => new Promise<never>(() => {});
const kept: Kept = {
  sessionId: "s1",
  pcId: "p1",
  choices: { persona: "companion" },
  wantedPersona: null,
  isMicOn: true,
  isCamOn: false,
  turns: [],
  leftAt: 0,
};
const goodbyes: string[] = [];

beforeEach(() => {
  goodbyes.length = 0;
  asked.devices.mockReset().mockResolvedValue();
  asked.connection.mockReset().mockImplementation(never);
  vi.stubGlobal("fetch", async (url: string, { method }: RequestInit) => {
    if (method === "DELETE") goodbyes.push(url);
    return method === "POST" ? Response.json({ sessionId: "s1" }) : never();
  });
  const items = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  });
});
afterEach(() => vi.unstubAllGlobals());

function create() {
  const listener = { dispatch: vi.fn(), onBotTrack: vi.fn(), onClosed: vi.fn() };
  const call = new Call(kept.choices, { server: "", model: "" }, listener);
  return { call, listener };
}

describe("a call that is taken up again, while the browser asks for the microphone", () => {
  beforeEach(() => void asked.devices.mockImplementation(never));

  test("can be ended", () => {
    const { call } = create();
    void call.resume(kept);
    call.end();
    expect(goodbyes).toEqual(["/sessions/s1"]);
  });

  test("can be left once more, as it was", async () => {
    const { call } = create();
    void call.resume(kept);
    await vi.waitFor(() => expect(asked.devices).toHaveBeenCalled());
    call.leave([], null);
    expect(goodbyes).toEqual([]);
    expect(keptCall()).toMatchObject({ sessionId: "s1", pcId: "p1", isMicOn: true });
  });
});

test("a call to which no connection comes about gives its place back", async () => {
  asked.connection.mockRejectedValue(new Error("no way"));
  const { call, listener } = create();
  await call.start();
  expect(listener.dispatch).toHaveBeenLastCalledWith(expect.objectContaining({ type: "failed" }));
  expect(goodbyes).toEqual(["/sessions/s1"]);
});

test("a call that never began has nothing to give back", async () => {
  vi.mocked(openWay).mockRejectedValueOnce(new Error("not loaded"));
  const { call, listener } = create();
  await call.start();
  expect(listener.onClosed).toHaveBeenCalled();
  expect(goodbyes).toEqual([]);
});

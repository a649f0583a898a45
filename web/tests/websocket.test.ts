/** What websocket-transport 1.7.1 does, and what `WebSocketWay` and `Frames` make of it. */
import { RTVIMessage } from "@pipecat-ai/client-js";
import { ProtobufFrameSerializer, WebSocketTransport } from "@pipecat-ai/websocket-transport";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { LocalMedia } from "../src/media";
import { Frames } from "../src/ways/frames";
import { WebSocketWay } from "../src/ways/websocket";

/** The fields that the transport's types do not list. */
interface Internals {
  _ws: unknown;
  _callbacks: object;
  state: string;
}

const media = () => new LocalMedia({ onDevices() {}, onTrack() {}, onTrouble() {}, onGone() {} });
const internals = (transport: WebSocketTransport) => transport as unknown as Internals;

beforeEach(() => {
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("location", { protocol: "http:" });
});

const INTERRUPTION = new Uint8Array([0x2a, 0]);
const UNKNOWN = new Uint8Array([0x32, 0]);
const protobuf = new ProtobufFrameSerializer();
const audioFrame = (...samples: number[]) =>
  new Blob([protobuf.serializeAudio(new Int16Array(samples).buffer, 24_000, 1).slice()]);
const messageFrame = (text: string) =>
  new Blob([protobuf.serializeMessage(new RTVIMessage("x", { text })).slice()]);

describe("the library as it is", () => {
  test("an interruption is an error to its serializer", async () => {
    await expect(protobuf.deserialize(new Blob([INTERRUPTION]))).rejects.toThrow("Unknown frame");
  });

  test("the transport has the field that WebSocketWay reads", () => {
    expect(new WebSocketWay(media())).toMatchObject({ _ws: null });
  });

  test("the transport tells an error whenever its socket closes", () => {
    expect(WebSocketTransport.prototype.initializeWebsocket.toString()).toContain(
      "websocket connection closed. Code: ${",
    );
  });
});

describe("Frames", () => {
  function create() {
    const heard: (number[] | "interrupted")[] = [];
    const frames = new Frames({
      onAudio: (pcm) => heard.push([...pcm]),
      onInterruption: () => heard.push("interrupted"),
    });
    return { frames, heard };
  }

  test("hears speech and interruptions in the order in which they were sent", async () => {
    const { frames, heard } = create();
    const slow = audioFrame(1, -2);
    const slice = slow.slice.bind(slow);
    slow.slice = (...range) => {
      const first = slice(...range);
      const bytes = first.arrayBuffer();
      first.arrayBuffer = () => new Promise((resolve) => setTimeout(() => resolve(bytes), 20));
      return first;
    };
    const sent = [slow, new Blob([INTERRUPTION]), audioFrame(3)];
    await Promise.all(sent.map((data) => frames.deserialize(data)));
    expect(heard).toEqual([[1, -2], "interrupted", [3]]);
  });

  test("passes messages on", async () => {
    const taken = await create().frames.deserialize(messageFrame("hello"));
    expect(taken).toMatchObject({ type: "message", message: { data: { text: "hello" } } });
  });

  test("leaves alone what it does not know, and goes on after what it can't read", async () => {
    const { frames, heard } = create();
    expect(await frames.deserialize(new Blob([UNKNOWN]))).toMatchObject({ type: "raw" });
    const broken = new Blob([new Uint8Array([0x12, 99, 1])]);
    await expect(frames.deserialize(broken)).rejects.toThrow();
    await frames.deserialize(audioFrame(7));
    expect(heard).toEqual([[7]]);
  });
});

describe("WebSocketWay", () => {
  test("goes where the session says, over TLS where the page came so", () => {
    const way = new WebSocketWay(media());
    const session = { sessionId: "s1", wsUrl: "ws://salon.example/ws-client/s1" };
    expect(way.connectionTo(session)).toEqual({ wsUrl: session.wsUrl });
    vi.stubGlobal("location", { protocol: "https:" });
    expect(way.connectionTo(session)).toEqual({ wsUrl: "wss://salon.example/ws-client/s1" });
  });

  test("can send while its socket is open", () => {
    const way = new WebSocketWay(media());
    expect([way.canSend, way.isInterrupted, way.hasNoWay]).toEqual([false, true, true]);
    internals(way)._ws = { readyState: WebSocket.OPEN };
    expect([way.canSend, way.isInterrupted, way.hasNoWay]).toEqual([true, false, false]);
  });

  test("leaves out the sound that a narrow line can't carry in time", async () => {
    const way = new WebSocketWay(media());
    const send = vi.fn(async () => {});
    const socket = { bufferedAmount: 0 };
    internals(way)._callbacks = {};
    way.state = "ready";
    internals(way)._ws = { readyState: WebSocket.OPEN, send, _ws: { _ws: socket } };
    way.handleUserAudioStream(new ArrayBuffer(640));
    socket.bufferedAmount = 64_000;
    way.handleUserAudioStream(new ArrayBuffer(640));
    expect(send).toHaveBeenCalledOnce();
  });

  test.each([
    ["websocket connection closed. Code: 1000", "onBotDisconnected"],
    ["websocket connection closed. Code: 1006", "onDisconnected"],
    ["websocket connection timed out", "onDisconnected"],
  ])("tells who hung up from a line that broke: %s", (message, told) => {
    const way = new WebSocketWay(media());
    const callbacks = { onBotDisconnected: vi.fn(), onDisconnected: vi.fn(), onError: vi.fn() };
    internals(way)._callbacks = callbacks;
    way.connectionError(message);
    const called = Object.entries(callbacks).filter(([, callback]) => callback.mock.calls.length);
    expect(called.map(([name]) => name)).toEqual([told]);
  });
});

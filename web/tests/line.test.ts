/** What small-webrtc-transport 1.10.8 and client-js 1.13.1 do, and what `Line` makes of it. */
import { RTVIMessageType } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Line } from "../src/line";
import { LocalMedia } from "../src/media";

/** The fields that the transport's types do not list. */
interface Internals {
  pc: unknown;
  dc: unknown;
  _connectFailed: unknown;
  closePeerConnection(pc: unknown): void;
  addInitialTransceivers(): void;
}

const media = () => new LocalMedia({ onDevices() {}, onTrack() {}, onTrouble() {}, onGone() {} });
const internals = (transport: SmallWebRTCTransport) => transport as unknown as Internals;

beforeEach(() => void vi.stubGlobal("navigator", {}));

const NEGOTIATED = [
  ["audio", "sendrecv"],
  ["video", "sendrecv"],
  ["video", "sendonly"],
];

/** What is negotiated by a browser that can share its screen. */
function transceiversOf(create: () => SmallWebRTCTransport) {
  vi.stubGlobal("navigator", { mediaDevices: { getDisplayMedia() {} } });
  const transport = internals(create());
  const addTransceiver = vi.fn<(kind: string, init: RTCRtpTransceiverInit) => void>();
  transport.pc = { addTransceiver };
  transport.addInitialTransceivers();
  return addTransceiver.mock.calls.map(([kind, init]) => ({ kind, ...init }));
}

function fakeConnection() {
  const track = { stop: vi.fn() };
  const sender = { track, replaceTrack: vi.fn(async () => {}) };
  const transceivers = [0, 1, 2].map((index) => ({
    stop: vi.fn(),
    sender,
    receiver: { track: `remote ${index}` },
  }));
  const pc = {
    close: vi.fn(),
    getTransceivers: () => transceivers,
    getSenders: () => [sender],
    iceConnectionState: "connected",
  };
  return { pc, track, sender };
}

describe("the libraries as they are", () => {
  test("closing a connection stops the tracks that its replacement is sending", () => {
    const { pc, track } = fakeConnection();
    internals(new SmallWebRTCTransport({ mediaManager: media() })).closePeerConnection(pc);
    expect(track.stop).toHaveBeenCalled();
  });

  test("the transport has the fields that Line reads", () => {
    const transport = new SmallWebRTCTransport({ mediaManager: media() });
    expect(transport).toMatchObject({ pc: null, dc: null, _connectFailed: null });
  });

  test("without a media manager the transport would load Daily's", () => {
    expect(() => new SmallWebRTCTransport()).toThrow("media manager");
  });

  test("video is sent at whatever rate the device has", () => {
    const all = transceiversOf(() => new SmallWebRTCTransport({ mediaManager: media() }));
    expect(all.map(({ kind, direction }) => [kind, direction])).toEqual(NEGOTIATED);
    expect(all.map(({ sendEncodings }) => sendEncodings)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("the client has no message for files", () => {
    expect(Object.values(RTVIMessageType)).not.toContain("send-file");
  });
});

describe("Line", () => {
  test("negotiates the same, but sends no more video than the bot looks at", () => {
    const all = transceiversOf(() => new Line(media()));
    expect(all.map(({ kind, direction }) => [kind, direction])).toEqual(NEGOTIATED);
    const limited = [{ maxFramerate: 5 }];
    expect(all.map(({ sendEncodings }) => sendEncodings)).toEqual([undefined, limited, limited]);
  });

  test("negotiates no screen where none can be shared", () => {
    const line = internals(new Line(media()));
    const addTransceiver = vi.fn();
    line.pc = { addTransceiver };
    line.addInitialTransceivers();
    expect(addTransceiver).toHaveBeenCalledTimes(2);
  });

  test("closes a connection and leaves the tracks to their owner", () => {
    const { pc, track } = fakeConnection();
    internals(new Line(media())).closePeerConnection(pc);
    expect(pc.close).toHaveBeenCalled();
    expect(track.stop).not.toHaveBeenCalled();
  });

  test("gets the offer's address from the session", () => {
    const line = new Line(media());
    line.startBotParams = { endpoint: "/start" };
    expect(line._validateConnectionParams({ sessionId: "s1" })).toMatchObject({
      webrtcRequestParams: { endpoint: "/sessions/s1/api/offer" },
    });
  });

  test("asks no server on the internet for its address", () => {
    expect(new Line(media()).iceServers).toEqual([]);
  });

  test("knows whether it is up, and what the bot's voice is", () => {
    const line = new Line(media());
    expect(line.isInterrupted).toBe(true);
    expect(line.botTrack).toBeUndefined();
    const { pc } = fakeConnection();
    internals(line).pc = pc;
    expect(line.isInterrupted).toBe(false);
    expect(line.botTrack).toBe("remote 0");
    pc.iceConnectionState = "disconnected";
    expect(line.isInterrupted).toBe(true);
  });

  test("takes no message that an interrupted connection would lose", () => {
    const line = new Line(media());
    const { pc } = fakeConnection();
    Object.assign(internals(line), { pc, dc: { readyState: "open" } });
    expect(line.canSend).toBe(true);
    pc.iceConnectionState = "disconnected";
    expect(line.canSend).toBe(false);
  });

  test("puts a track into the connection, if there is one", async () => {
    const line = new Line(media());
    await line.replaceTrack("cam", null);
    const { pc, sender } = fakeConnection();
    internals(line).pc = pc;
    await line.replaceTrack("cam", null);
    expect(sender.replaceTrack).toHaveBeenCalledExactlyOnceWith(null);
  });

  test("sends a file's address with its caption", () => {
    const line = new Line(media());
    const send = vi.fn<(message: string) => void>();
    internals(line).dc = { readyState: "open", send };
    const file = { name: "a.png", format: "image/png", source: { type: "url", url: "pipecat:1" } };
    line.sendFile("What is it?", file);
    expect(JSON.parse(send.mock.calls[0]![0])).toMatchObject({
      label: "rtvi-ai",
      type: "send-file",
      data: { content: "What is it?", file },
    });
  });
});

/** What small-webrtc-transport 1.10.8 and client-js 1.13.1 do, and what `WebRTCWay` makes of it. */
import { RTVIMessageType } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { LocalMedia } from "../src/media";
import { sendFile } from "../src/ways/way";
import { WebRTCWay } from "../src/ways/webrtc";

/** The fields that the transport's types do not list. */
interface Internals {
  pc: unknown;
  dc: unknown;
  _connectFailed: unknown;
  closePeerConnection(pc: unknown): void;
  addInitialTransceivers(): void;
  createPeerConnection(): unknown;
  createDataChannel(): unknown;
  addUserMedia(): Promise<void>;
  negotiate(isAnother: boolean): Promise<void>;
  startNewPeerConnection(isAnother?: boolean): Promise<void>;
  stop(error?: Error): Promise<void>;
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

/** What a transport's first and second connection ask the server to replace. */
async function replacements(transport: SmallWebRTCTransport): Promise<boolean[]> {
  const negotiate = vi.fn(async (_isAnother: boolean) => {});
  Object.assign(internals(transport), {
    createPeerConnection: () => ({ addTransceiver() {} }),
    createDataChannel: () => ({}),
    addUserMedia: async () => {},
    negotiate,
  });
  await internals(transport).startNewPeerConnection();
  await internals(transport).startNewPeerConnection();
  return negotiate.mock.calls.map(([isAnother]) => isAnother);
}

describe("the libraries as they are", () => {
  test("a first connection is never one that takes another's place", async () => {
    const transport = new SmallWebRTCTransport({ mediaManager: media() });
    Object.assign(internals(transport), { pc_id: "p1" });
    expect(await replacements(transport)).toEqual([false, false]);
  });

  test("closing a connection stops the tracks that its replacement is sending", () => {
    const { pc, track } = fakeConnection();
    internals(new SmallWebRTCTransport({ mediaManager: media() })).closePeerConnection(pc);
    expect(track.stop).toHaveBeenCalled();
  });

  test("the transport has the fields that WebRTCWay reads", () => {
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

describe("WebRTCWay", () => {
  test("takes the place of another page's connection, once", async () => {
    const line = new WebRTCWay(media());
    expect(line.pcId).toBeNull();
    line.replace("p1");
    expect(line.pcId).toBe("p1");
    expect(await replacements(line)).toEqual([true, false]);
    expect(await replacements(new WebRTCWay(media()))).toEqual([false, false]);
  });

  test("negotiates the same, but sends no more video than the bot looks at", () => {
    const all = transceiversOf(() => new WebRTCWay(media()));
    expect(all.map(({ kind, direction }) => [kind, direction])).toEqual(NEGOTIATED);
    const limited = [{ maxFramerate: 5 }];
    expect(all.map(({ sendEncodings }) => sendEncodings)).toEqual([undefined, limited, limited]);
  });

  test("negotiates no screen where none can be shared", () => {
    const line = internals(new WebRTCWay(media()));
    const addTransceiver = vi.fn();
    line.pc = { addTransceiver };
    line.addInitialTransceivers();
    expect(addTransceiver).toHaveBeenCalledTimes(2);
  });

  test("closes a connection and leaves the tracks to their owner", () => {
    const { pc, track } = fakeConnection();
    internals(new WebRTCWay(media())).closePeerConnection(pc);
    expect(pc.close).toHaveBeenCalled();
    expect(track.stop).not.toHaveBeenCalled();
  });

  test("gets the offer's address from the session", () => {
    const line = new WebRTCWay(media());
    line.startBotParams = { endpoint: "/start" };
    expect(line._validateConnectionParams({ sessionId: "s1" })).toMatchObject({
      webrtcRequestParams: { endpoint: "/sessions/s1/api/offer" },
    });
  });

  test("asks no server on the internet for its address", () => {
    expect(new WebRTCWay(media()).iceServers).toEqual([]);
  });

  test("knows whether it is up, and what the bot's voice is", () => {
    const line = new WebRTCWay(media());
    expect(line.isInterrupted).toBe(true);
    expect(line.botTrack).toBeUndefined();
    const { pc } = fakeConnection();
    internals(line).pc = pc;
    expect(line.isInterrupted).toBe(false);
    expect(line.botTrack).toBe("remote 0");
    pc.iceConnectionState = "disconnected";
    expect(line.isInterrupted).toBe(true);
  });

  test("tells a server that does not answer from one that can't be got through to", () => {
    const line = new WebRTCWay(media());
    expect(line.hasNoWay).toBe(false);
    const pc = { iceConnectionState: "new", remoteDescription: null as unknown };
    internals(line).pc = pc;
    expect(line.hasNoWay).toBe(false);
    pc.remoteDescription = { type: "answer" };
    expect(line.hasNoWay).toBe(true);
    pc.iceConnectionState = "connected";
    expect(line.hasNoWay).toBe(false);
  });

  test("shows how far it is, once there is a connection", () => {
    const line = new WebRTCWay(media());
    expect(line.sight).toBeUndefined();
    internals(line).pc = {
      iceConnectionState: "checking",
      iceGatheringState: "complete",
      remoteDescription: null,
    };
    expect(line.sight).toEqual({ ice: "checking", isGathered: true, isAnswered: false });
  });

  test("takes no message that an interrupted connection would lose", () => {
    const line = new WebRTCWay(media());
    const { pc } = fakeConnection();
    Object.assign(internals(line), { pc, dc: { readyState: "open" } });
    expect(line.canSend).toBe(true);
    pc.iceConnectionState = "disconnected";
    expect(line.canSend).toBe(false);
  });

  test("says why it has given up", async () => {
    const line = new WebRTCWay(media());
    const refused = new Error("refused", { cause: new Response(null, { status: 410 }) });
    await internals(line).stop(refused);
    expect(line.trouble).toBe(refused);
  });

  test("puts a track into the connection, if there is one", async () => {
    const line = new WebRTCWay(media());
    await line.replaceTrack("cam", null);
    const { pc, sender } = fakeConnection();
    internals(line).pc = pc;
    await line.replaceTrack("cam", null);
    expect(sender.replaceTrack).toHaveBeenCalledExactlyOnceWith(null);
  });

  test("sends a file's address with its caption", () => {
    const line = new WebRTCWay(media());
    const send = vi.fn<(message: string) => void>();
    internals(line).dc = { readyState: "open", send };
    const file = { name: "a.png", format: "image/png", source: { type: "url", url: "pipecat:1" } };
    sendFile(line, "What is it?", file);
    expect(JSON.parse(send.mock.calls[0]![0])).toMatchObject({
      label: "rtvi-ai",
      type: "send-file",
      data: { content: "What is it?", file },
    });
  });
});

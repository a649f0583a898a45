import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LocalMedia, type MediaListener } from "../src/media";

class FakeTrack extends EventTarget {
  enabled = true;
  readyState = "live";
  contentHint = "";
  stop(): void {
    this.readyState = "ended";
  }
  /** What a browser does when the device is unplugged. */
  unplug(): void {
    this.stop();
    this.dispatchEvent(new Event("ended"));
  }
  getSettings(): MediaTrackSettings {
    return { deviceId: "d1" };
  }
}

type Answer = () => Promise<FakeTrack>;
const given: FakeTrack[] = [];
let answer: Answer;

const give: Answer = async () => {
  const track = new FakeTrack();
  given.push(track);
  return track;
};
const refuse =
  (name: string, message = ""): Answer =>
  async () => {
    throw new DOMException(message, name);
  };

beforeEach(() => {
  given.length = 0;
  answer = give;
  const open = async () => {
    const track = await answer();
    return { getTracks: () => [track] };
  };
  const enumerateDevices = async () => [{ kind: "audioinput", deviceId: "d1", label: "Mic" }];
  const mediaDevices = { getUserMedia: open, getDisplayMedia: open, enumerateDevices };
  vi.stubGlobal("navigator", { mediaDevices });
});
afterEach(() => vi.unstubAllGlobals());

function create() {
  const listener = {
    onDevices: vi.fn<MediaListener["onDevices"]>(),
    onTrack: vi.fn<MediaListener["onTrack"]>(),
    onTrouble: vi.fn<MediaListener["onTrouble"]>(),
    onGone: vi.fn<MediaListener["onGone"]>(),
  };
  return { listener, media: new LocalMedia(listener) };
}

/** Everything that is under way has happened once the promises have run. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("a call starts with the microphone alone", async () => {
  const { media } = create();
  await media.initialize();
  expect(media.tracks().local).toEqual({ audio: given[0] });
  expect([media.isMicEnabled, media.isCamEnabled, media.isSharingScreen]).toEqual([
    true,
    false,
    false,
  ]);
});

test("the client learns which microphone it is, which tells it not to ask again", async () => {
  const { media } = create();
  const onMicUpdated = vi.fn();
  media.setClientOptions({ callbacks: { onMicUpdated } } as never);
  await media.initialize();
  expect(onMicUpdated).toHaveBeenCalledWith(expect.objectContaining({ deviceId: "d1" }));
});

test("without a microphone the call starts all the same, and the trouble is told", async () => {
  for (const [name, trouble] of [
    ["NotAllowedError", "refused"],
    ["NotFoundError", "missing"],
    ["NotReadableError", "busy"],
    ["OverconstrainedError", "unsuitable"],
    ["OtherError", "unknown"],
  ] as const) {
    answer = refuse(name);
    const { media, listener } = create();
    await media.initialize();
    expect(listener.onTrouble).toHaveBeenCalledWith("mic", trouble);
    expect(media.isMicEnabled).toBe(false);
  }
});

test("on a page that is not secure there are no devices", async () => {
  vi.stubGlobal("navigator", {});
  const { media, listener } = create();
  await media.initialize();
  expect(listener.onTrouble).toHaveBeenCalledWith("mic", "insecure");
  expect(await media.getAllMics()).toEqual([]);
});

test("a muted microphone sends silence; it is not taken from the line", async () => {
  const { media, listener } = create();
  await media.initialize();
  media.enableMic(false);
  expect(given[0]).toMatchObject({ enabled: false, readyState: "live" });
  expect(media.isMicEnabled).toBe(false);
  media.enableMic(true);
  expect(given[0]!.enabled).toBe(true);
  expect(listener.onTrack).toHaveBeenCalledTimes(1);
});

test("a camera that is switched off is stopped, so that its light goes out", async () => {
  const { media, listener } = create();
  media.enableCam(true);
  expect(listener.onDevices).toHaveBeenLastCalledWith(expect.objectContaining({ cam: "starting" }));
  await settle();
  expect(listener.onTrack).toHaveBeenLastCalledWith("cam", given[0]);
  media.enableCam(false);
  expect(given[0]!.readyState).toBe("ended");
  expect(listener.onTrack).toHaveBeenLastCalledWith("cam", null);
});

test("a camera granted after it was switched off again is not used", async () => {
  const { media, listener } = create();
  media.enableCam(true);
  media.enableCam(false);
  await settle();
  expect(given[0]!.readyState).toBe("ended");
  expect(listener.onTrack).not.toHaveBeenCalled();
});

test("of two cameras asked for in haste one is kept", async () => {
  const { media } = create();
  media.enableCam(true);
  media.enableCam(false);
  media.enableCam(true);
  await settle();
  expect(given.map((track) => track.readyState)).toEqual(["live", "ended"]);
  expect(media.isCamEnabled).toBe(true);
});

test("closing the list of screens is no trouble, but the system's refusal is", async () => {
  const { media, listener } = create();
  answer = refuse("NotAllowedError", "Permission denied by user");
  media.enableScreenShare(true);
  await settle();
  expect(listener.onGone).toHaveBeenCalledWith("screen");
  expect(listener.onTrouble).not.toHaveBeenCalled();

  answer = refuse("NotAllowedError", "Permission denied by system");
  media.enableScreenShare(true);
  await settle();
  expect(listener.onTrouble).toHaveBeenCalledWith("screen", "refused");
});

test("the browser's own button ends screen sharing", async () => {
  const { media, listener } = create();
  media.enableScreenShare(true);
  await settle();
  given[0]!.unplug();
  expect(listener.onGone).toHaveBeenCalledWith("screen");
  expect(listener.onTrack).toHaveBeenLastCalledWith("screen", null);
  expect(media.isSharingScreen).toBe(false);
});

test("an unplugged microphone is replaced by the one that is left", async () => {
  const { media, listener } = create();
  await media.initialize();
  given[0]!.unplug();
  await settle();
  expect(listener.onTrack).toHaveBeenLastCalledWith("mic", given[1]);
  expect(media.isMicEnabled).toBe(true);
});

test("after the end every track is stopped, and none is handed out any more", async () => {
  const { media, listener } = create();
  await media.initialize();
  media.enableCam(true);
  media.close();
  await settle();
  expect(given.map((track) => track.readyState)).toEqual(["ended", "ended"]);
  expect(media.tracks().local).toEqual({});
  expect(listener.onTrack).toHaveBeenCalledTimes(1);
  await expect(media.connect()).rejects.toThrow();
});

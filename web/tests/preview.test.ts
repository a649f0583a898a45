import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Preview } from "../src/preview";

class FakeTrack extends EventTarget {
  readyState = "live";
  stop(): void {
    this.readyState = "ended";
  }
  getSettings(): MediaTrackSettings {
    return { deviceId: "d1" };
  }
}

const given: FakeTrack[] = [];
let isAllowed: Promise<void>;

beforeEach(() => {
  given.length = 0;
  isAllowed = Promise.resolve();
  const getUserMedia = async () => {
    await isAllowed;
    const track = new FakeTrack();
    given.push(track);
    return { getTracks: () => [track] };
  };
  vi.stubGlobal("navigator", {
    mediaDevices: { getUserMedia, enumerateDevices: async () => [] },
  });
  const node = () => ({ connect() {}, disconnect() {}, fftSize: 2048 });
  vi.stubGlobal(
    "AudioContext",
    class {
      createAnalyser = node;
      createMediaStreamSource = node;
      async resume() {}
      async close() {}
    },
  );
  vi.stubGlobal("MediaStream", class {});
});
afterEach(() => vi.unstubAllGlobals());

const preview = () => new Preview({ onChange() {}, onTrouble() {} });

test("microphone and camera are let go of when they are not tried out any more", async () => {
  const tried = preview();
  await tried.start({});
  tried.showCamera(true);
  await vi.waitFor(() => expect(given).toHaveLength(2));
  tried.stop();
  expect(given.map((track) => track.readyState)).toEqual(["ended", "ended"]);
});

test("a microphone that is allowed too late is not kept", async () => {
  let allow = () => {};
  isAllowed = new Promise((resolve) => (allow = resolve));
  const tried = preview();
  const started = tried.start({});
  tried.stop();
  allow();
  await started;
  expect(given.map((track) => track.readyState)).toEqual(["ended"]);
});

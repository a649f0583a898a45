import { describe, expect, test, vi } from "vitest";
import { FRAME_RATE_FPS } from "../src/capture";
import { Pace, type Source } from "../src/network/pace";
import { apply } from "../src/network/sender";
import type { NetworkStats } from "../src/network/stats";

const GOOD: NetworkStats = {
  rtt_ms: 20,
  loss: 0,
  jitter_ms: 2,
  available_bps: 500_000,
  path: "udp",
};
const LOSSY = { loss: 0.06 };
const WHOLE = { maxBitrate: 500_000, maxFramerate: FRAME_RATE_FPS, scaleResolutionDownBy: 1 };

/** A call that is measured every two seconds, and has been for a while. */
class Call {
  readonly pace = new Pace();
  private nowMs = 0;

  private readonly sources: readonly Source[];

  constructor(sources: readonly Source[] = ["cam"]) {
    this.sources = sources;
    this.is({}, 10);
  }

  /** How the line is for so many seconds; returns the size that the camera is divided by. */
  is(changes: Partial<NetworkStats>, seconds = 2): number {
    for (; seconds > 0; seconds -= 2) {
      this.nowMs += 2000;
      this.pace.measured({ ...GOOD, ...changes }, this.sources, this.nowMs);
    }
    return this.pace.encoding("cam").scaleResolutionDownBy;
  }

  /** How many seconds of a good line it takes until there is more video. */
  recovers(): number {
    const before = this.pace.encoding("cam").maxBitrate;
    let seconds = 0;
    for (; this.pace.encoding("cam").maxBitrate === before && seconds < 200; seconds += 2)
      this.is({});
    return seconds;
  }
}

describe("video on a line", () => {
  test("that is good is whole", () => {
    const { pace } = new Call();
    expect(pace.health).toBe("good");
    expect(pace.hint).toBe("detail");
    expect(pace.encoding("cam")).toEqual(WHOLE);
    expect(pace.encoding("screen").maxBitrate).toBe(1_500_000);
  });

  test("gives way at once: first fewer frames, then smaller ones", () => {
    const encodings = [0.04, 0.06, 0.1, 0.3].map((loss) => {
      const call = new Call();
      call.is({ loss });
      expect(call.pace.health).toBe("slow");
      return call.pace.encoding("cam");
    });
    expect(encodings.map((one) => one.maxFramerate)).toEqual([2, 1, 1, 1]);
    expect(encodings.map((one) => one.scaleResolutionDownBy)).toEqual([1, 4 / 3, 2, 4]);
    expect(encodings.map((one) => one.maxBitrate)).toEqual([225_000, 125_000, 50_000, 25_000]);
  });

  test("gives way to a queue, which a distance is not", () => {
    const far = new Call();
    expect(far.is({ rtt_ms: 170 }, 60)).toBe(1);
    expect(far.pace.health).toBe("good");
    expect(new Call().is({ rtt_ms: 450 })).toBe(2);
  });

  test("gives way to what the browser may send", () => {
    expect(new Call().is({ available_bps: 200_000 })).toBe(4 / 3);
    expect(new Call([]).is({ available_bps: 200_000 })).toBe(1); // without video it means nothing
  });

  test("that has just begun is not judged by what the browser has yet to find out", () => {
    const pace = new Pace();
    const measured = (sources: Source[], nowMs: number) => {
      pace.measured({ ...GOOD, available_bps: 300_000 }, sources, nowMs);
      return pace.health;
    };
    expect(measured(["cam"], 1_000)).toBe("good");
    expect(measured(["cam", "screen"], 6_000)).toBe("good");
    expect(measured(["cam", "screen"], 12_000)).toBe("slow");
  });

  test("that is slow leaves room for the sound, however many sources there are", () => {
    const { pace } = new Call(["cam", "screen"]);
    pace.measured({ ...GOOD, loss: 0.3 }, ["cam", "screen"], 20_000);
    expect(pace.encoding("cam").maxBitrate + pace.encoding("screen").maxBitrate).toBe(25_000);
    expect(pace.hint).toBe("motion"); // detail would be filled up to 100 kbit/s
  });

  test("is left alone by what is not known", () => {
    const nothing = { rtt_ms: null, loss: null, jitter_ms: null, available_bps: null, path: null };
    const call = new Call();
    call.is(nothing, 60);
    expect(call.pace.encoding("cam")).toEqual(WHOLE);
  });
});

describe("a line that is better again", () => {
  test("gets more video step by step", () => {
    const call = new Call();
    call.is({ loss: 0.3 });
    const sizes = Array.from({ length: 8 }, () => call.is({}));
    expect(sizes).toEqual([4, 2, 2, 4 / 3, 4 / 3, 1, 1, 1]);
    expect(call.pace.encoding("cam")).toEqual(WHOLE);
    expect(call.pace.health).toBe("good");
  });

  test("gets none while it goes to and fro", () => {
    const call = new Call();
    call.is(LOSSY);
    for (let i = 0; i < 20; i++) {
      call.is({});
      expect(call.is(LOSSY)).toBe(4 / 3);
    }
  });

  test("is tried less and less often when more is too much, and often again when it is not", () => {
    const call = new Call();
    call.is(LOSSY);
    const waits = Array.from({ length: 6 }, () => {
      const seconds = call.recovers();
      call.is(LOSSY);
      return seconds;
    });
    expect(waits).toEqual([4, 8, 16, 32, 60, 60]);
    expect(call.recovers()).toBe(60);
    call.is({}, 80);
    call.is(LOSSY);
    expect(call.recovers()).toBe(4);
  });
});

describe("a sender", () => {
  function fakeSender(encodings: RTCRtpEncodingParameters[]) {
    const sender = {
      track: { contentHint: "detail" },
      getParameters: () => ({ encodings }),
      setParameters: vi.fn(async () => {}),
    };
    return { sender, asSender: sender as unknown as RTCRtpSender };
  }

  test("is told once", async () => {
    const encodings = [{ active: true, maxFramerate: 5 }];
    const { sender, asSender } = fakeSender(encodings);
    await apply(asSender, WHOLE, "motion");
    await apply(asSender, WHOLE, "motion");
    expect(sender.setParameters).toHaveBeenCalledExactlyOnceWith({
      encodings: [{ active: true, ...WHOLE }],
    });
    expect(sender.track.contentHint).toBe("motion");
  });

  test("that has nothing to send yet, or whose connection is gone, is no trouble", async () => {
    const without = fakeSender([]);
    await apply({ ...without.asSender, track: null }, WHOLE, "detail");
    expect(without.sender.setParameters).not.toHaveBeenCalled();
    const gone = fakeSender([{}]);
    gone.sender.setParameters.mockRejectedValue(new DOMException("closed", "InvalidStateError"));
    await apply(gone.asSender, WHOLE, "detail");
    expect(gone.sender.setParameters).toHaveBeenCalled();
  });
});

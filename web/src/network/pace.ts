/**
 * How much video the line is given, by how it is. No clock, no browser.
 *
 * Sound comes first: as soon as packets get lost, wait in a queue, or the browser may send less,
 * video takes less, at once as much less as that needs. It comes back step by step.
 */
import { FRAME_RATE_FPS } from "../capture";
import type { NetworkStats } from "./stats";

export type Health = "good" | "slow";
export type Source = "cam" | "screen";
/** Of the W3C's "MediaStreamTrack Content Hints": whole pictures, or smaller ones. */
export type Hint = "detail" | "motion";

/** Members of the W3C's RTCRtpEncodingParameters. */
export interface Encoding {
  readonly maxBitrate: number;
  readonly maxFramerate: number;
  readonly scaleResolutionDownBy: number;
}

/** What the server asks for at most: CAMERA_BPS and SCREEN_BPS of pipeline/webrtc_line.py. */
const MOST_BPS: Record<Source, number> = { cam: 500_000, screen: 1_500_000 };

/**
 * First fewer frames, of which the next is whole; then smaller ones. The bits are for all video, and
 * what the browser may send at least where the next level begins: the sound's own fit beside them.
 * Chromium fills up what is marked as detail to 100 kbit/s, however little it may send: where that is
 * more, it would take the sound's place.
 */
const LEVELS = [
  { bps: Infinity, framerate: FRAME_RATE_FPS, scale: 1, hint: "detail" },
  { bps: 225_000, framerate: 2, scale: 1, hint: "detail" },
  { bps: 125_000, framerate: 1, scale: 4 / 3, hint: "detail" },
  { bps: 50_000, framerate: 1, scale: 2, hint: "motion" },
  { bps: 25_000, framerate: 1, scale: 4, hint: "motion" },
] as const;

/** Where each level after the first begins. Of loss and time the first three are those of the
 * server's `ease_of`, at the same pressure. */
const LOSS = [0.0325, 0.055, 0.0775, 0.2];
const RTT_RISE_MS = [200, 300, 400, 800];
/** Less than a camera has use for; a screen that stands still is never allowed more. */
const AVAILABLE_BPS = [375_000, 225_000, 125_000, 50_000];

/** A round trip is long by how much longer it takes than it did; the shortest is forgotten so fast. */
const RTT_FORGOTTEN_MS_A_S = 1;
/** A browser that begins to send video looks for what the line takes from below. */
const SETTLING_MS = 6_000;
/** For how long the line has to be better before there is more video. */
const BETTER_MS = 4_000;
/** After more video that was too much, the next time waits twice as long, up to this. */
const LONGEST_MS = 60_000;
/** More video was not too much if nothing happens for so long. */
const PROBATION_MS = 10_000;

export class Pace {
  private level = 0;
  private sources: readonly Source[] = [];
  private settledAtMs = 0;
  private shortestRttMs = Infinity;
  private measuredAtMs = 0;
  private worseAtMs = 0;
  private raisedAtMs = -Infinity;
  private isOnProbation = false;
  private waitMs = BETTER_MS;

  get health(): Health {
    return this.level > 0 ? "slow" : "good";
  }

  get hint(): Hint {
    return LEVELS[this.level]!.hint;
  }

  encoding(source: Source): Encoding {
    const { bps, framerate, scale } = LEVELS[this.level]!;
    return {
      maxBitrate: Math.min(MOST_BPS[source], bps / Math.max(1, this.sources.length)),
      maxFramerate: framerate,
      scaleResolutionDownBy: scale,
    };
  }

  measured(stats: NetworkStats, sources: readonly Source[], nowMs: number): void {
    const needed = this.needed(stats, sources, nowMs);
    const onProbation = this.isOnProbation && nowMs - this.raisedAtMs < PROBATION_MS;
    if (this.isOnProbation && !onProbation) {
      this.isOnProbation = false;
      this.waitMs = BETTER_MS;
    }
    if (needed >= this.level) {
      if (needed > this.level && onProbation) {
        this.waitMs = Math.min(this.waitMs * 2, LONGEST_MS);
        this.isOnProbation = false;
      }
      this.level = needed;
      this.worseAtMs = nowMs;
    } else if (nowMs - this.worseAtMs >= this.waitMs) {
      this.level -= 1;
      this.worseAtMs = this.raisedAtMs = nowMs;
      this.isOnProbation = true;
    }
  }

  private needed(stats: NetworkStats, sources: readonly Source[], nowMs: number): number {
    return Math.max(
      countOf(LOSS, stats.loss),
      countOf(RTT_RISE_MS, this.riseMs(stats.rtt_ms, nowMs)),
      this.isSettled(sources, nowMs) ? shortfall(stats.available_bps) : 0,
    );
  }

  private riseMs(rttMs: number | null, nowMs: number): number | null {
    const elapsedS = (nowMs - this.measuredAtMs) / 1000;
    this.measuredAtMs = nowMs;
    if (rttMs === null) return null;
    this.shortestRttMs = Math.min(rttMs, this.shortestRttMs + RTT_FORGOTTEN_MS_A_S * elapsedS);
    return rttMs - this.shortestRttMs;
  }

  /** Before that, or without video, what the browser says it may send means little. */
  private isSettled(sources: readonly Source[], nowMs: number): boolean {
    if (sources.join() !== this.sources.join()) this.settledAtMs = nowMs + SETTLING_MS;
    this.sources = sources;
    return sources.length > 0 && nowMs >= this.settledAtMs;
  }
}

function shortfall(bps: number | null): number {
  return bps === null ? 0 : AVAILABLE_BPS.filter((bound) => bps < bound).length;
}

/** How many of the bounds a value has reached. */
function countOf(bounds: readonly number[], value: number | null): number {
  return value === null ? 0 : bounds.filter((bound) => value >= bound).length;
}

/** Measures the line of a call, and has its video follow. */
import type { Way } from "../ways/way";
import { Pace, type Health, type Source } from "./pace";
import { apply } from "./sender";
import { StatsReader, type NetworkStats } from "./stats";

const VIDEO: readonly Source[] = ["cam", "screen"];

export class LineWatch {
  private readonly stats = new StatsReader();
  private readonly pace = new Pace();

  /** Null where there is nothing to measure. */
  async measure(way: Way): Promise<{ stats: NetworkStats; health: Health } | null> {
    const report = await way.connection?.getStats();
    if (!report) return null;
    const stats = this.stats.read(report);
    const sending = VIDEO.filter((source) => way.sender?.(source)?.track);
    this.pace.measured(stats, sending, performance.now());
    for (const source of VIDEO) {
      const sender = way.sender?.(source);
      if (sender) void apply(sender, this.pace.encoding(source), this.pace.hint);
    }
    return { stats, health: this.pace.health };
  }
}

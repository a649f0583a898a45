/** The bot's speech between its arrival and the speaker. No clock: time is what is pulled. */

/** How much is gathered before it is played, in milliseconds: packets over TCP come unevenly. */
const GATHER_MS = 80;

export class PlayQueue {
  private readonly gather: number;
  private chunks: Int16Array[] = [];
  private offset = 0;
  private length = 0;
  private isPlaying = false;
  private waited = 0;

  /** `rate` in samples a second. */
  constructor(rate: number) {
    this.gather = (rate * GATHER_MS) / 1_000;
  }

  push(samples: Int16Array): void {
    this.chunks.push(samples);
    this.length += samples.length;
  }

  /** Somebody broke in: what waits is not heard any more. */
  drop(): void {
    this.chunks = [];
    this.offset = this.length = this.waited = 0;
    this.isPlaying = false;
  }

  /** Fills `output` (-1..1), with silence where there is nothing to play. */
  pull(output: Float32Array): void {
    output.fill(0);
    if (this.length === 0) {
      this.isPlaying = false;
      this.waited = 0;
    } else if (!this.isPlaying) {
      // A word shorter than what is gathered is played too, a little later.
      this.isPlaying = this.length >= this.gather || this.waited >= this.gather;
      this.waited += output.length;
    }
    for (let filled = 0; this.isPlaying && filled < output.length;) {
      const chunk = this.chunks[0];
      if (!chunk) break;
      const count = Math.min(output.length - filled, chunk.length - this.offset);
      for (let i = 0; i < count; i++) output[filled + i] = chunk[this.offset + i]! / 32_768;
      filled += count;
      this.offset += count;
      this.length -= count;
      if (this.offset < chunk.length) continue;
      this.chunks.shift();
      this.offset = 0;
    }
  }
}

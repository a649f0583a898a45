/** How loud a sound is. */

/** Speech has a root mean square of roughly 0.05 to 0.25 of full scale; this spreads it over 0..1. */
const GAIN = 4;

/** The loudness of samples in -1..1, as 0..1. */
export function levelOf(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  const squares = samples.reduce((sum, sample) => sum + sample * sample, 0);
  return Math.min(1, Math.sqrt(squares / samples.length) * GAIN);
}

export class Meter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples = new Float32Array(this.analyser.fftSize);
  private source: MediaStreamAudioSourceNode | undefined;

  /** Takes the place of what was measured before; null: nothing. */
  measure(stream: MediaStream | null): void {
    this.source?.disconnect();
    this.source = stream ? this.context.createMediaStreamSource(stream) : undefined;
    this.source?.connect(this.analyser);
  }

  /** Browsers let a sound be measured once the user has touched the page. */
  resume(): void {
    void this.context.resume();
  }

  /** Of this moment, 0..1. */
  get level(): number {
    if (!this.source) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    return levelOf(this.samples);
  }

  close(): void {
    this.measure(null);
    void this.context.close();
  }
}

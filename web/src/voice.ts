/** The bot's voice: played by an <audio> element, and measured for the level meter. */

const LEVEL_INTERVAL_MS = 100;

/** Speech has a root mean square of roughly 0.05 to 0.25 of full scale; this spreads it over 0..1. */
const LEVEL_GAIN = 4;

/** The loudness of samples in -1..1, as 0..1. */
export function levelOf(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  const squares = samples.reduce((sum, sample) => sum + sample * sample, 0);
  return Math.min(1, Math.sqrt(squares / samples.length) * LEVEL_GAIN);
}

export interface VoiceListener {
  onBlocked(isBlocked: boolean): void;
  onLevel(level: number): void;
}

export class Voice {
  private readonly audio: HTMLAudioElement;
  private readonly listener: VoiceListener;
  private context: AudioContext | undefined;
  private source: MediaStreamAudioSourceNode | undefined;
  private meter: number | undefined;

  constructor(audio: HTMLAudioElement, listener: VoiceListener) {
    this.audio = audio;
    this.listener = listener;
  }

  /** Replaces what was playing: after a reconnection the bot has a new track. */
  play(track: MediaStreamTrack): void {
    const stream = new MediaStream([track]);
    this.audio.srcObject = stream;
    this.measure(stream);
    void this.unblock();
  }

  /** Tries to play; browsers allow it once the user has touched the page. */
  async unblock(): Promise<void> {
    void this.context?.resume();
    try {
      await this.audio.play();
      this.listener.onBlocked(false);
    } catch (error) {
      // An AbortError only says that a newer track, or the end, came first.
      if (error instanceof DOMException && error.name === "NotAllowedError") {
        this.listener.onBlocked(true);
      }
    }
  }

  stop(): void {
    clearInterval(this.meter);
    this.source?.disconnect();
    this.audio.srcObject = null;
    this.listener.onLevel(0);
  }

  private measure(stream: MediaStream): void {
    clearInterval(this.meter);
    this.source?.disconnect();
    this.context ??= new AudioContext();
    const analyser = this.context.createAnalyser();
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.meter = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.listener.onLevel(levelOf(samples));
    }, LEVEL_INTERVAL_MS);
  }
}

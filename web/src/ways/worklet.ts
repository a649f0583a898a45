/** What runs on the audio thread when a call goes over WebSocket: one end for each direction. */
import { PlayQueue } from "./play_queue";

// Of the scope that the DOM's types leave out.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const PIECE_MS = 20;

/** Plays what is posted to it (`Int16Array`); null drops what has not been played. */
class Speaker extends AudioWorkletProcessor {
  private readonly queue = new PlayQueue(sampleRate);

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<Int16Array | null>) => {
      if (data) this.queue.push(data);
      else this.queue.drop();
    };
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    if (output?.[0]) this.queue.pull(output[0]);
    return true;
  }
}

/** Posts what it hears, as 16-bit samples, piece by piece. */
class Microphone extends AudioWorkletProcessor {
  private piece = new Int16Array((sampleRate * PIECE_MS) / 1_000);
  private filled = 0;

  process([input]: Float32Array[][]): boolean {
    for (const sample of input?.[0] ?? []) {
      this.piece[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32_767;
      if (this.filled < this.piece.length) continue;
      this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
      this.piece = new Int16Array((sampleRate * PIECE_MS) / 1_000);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("speaker", Speaker);
registerProcessor("microphone", Microphone);

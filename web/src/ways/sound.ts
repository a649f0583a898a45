/** Microphone and bot's voice as samples, where no peer connection carries them. */
import worklet from "./worklet.ts?worker&url";

/** Those of the Live API; the browser converts. */
export const MICROPHONE_HZ = 16_000;
export const SPEAKER_HZ = 24_000;

/** A context with its worklet: a file of our own, where Pipecat's come from blobs that the page forbids. */
async function context(sampleRate: number): Promise<AudioContext> {
  const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
  await context.audioWorklet.addModule(worklet);
  return context;
}

export class Sound {
  /** The bot's voice, once `open()` has succeeded. */
  voice: MediaStreamTrack | undefined;
  private speaker: AudioWorkletNode | undefined;
  private microphone: AudioWorkletNode | undefined;
  private source: MediaStreamAudioSourceNode | undefined;
  private contexts: AudioContext[] = [];
  private isClosed = false;

  /** `onHeard` gets 16-bit samples at `MICROPHONE_HZ`. */
  async open(onHeard: (pcm: ArrayBuffer) => void): Promise<void> {
    const [hearing, speaking] = await Promise.all([context(MICROPHONE_HZ), context(SPEAKER_HZ)]);
    this.contexts = [hearing, speaking];
    if (this.isClosed) return this.close();
    this.microphone = new AudioWorkletNode(hearing, "microphone", { numberOfOutputs: 0 });
    this.microphone.port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => onHeard(data);
    this.speaker = new AudioWorkletNode(speaking, "speaker", { numberOfInputs: 0 });
    // To an <audio> element and not straight out: that is what echo cancellation knows of.
    const destination = speaking.createMediaStreamDestination();
    this.speaker.connect(destination);
    this.voice = destination.stream.getAudioTracks()[0];
    for (const one of this.contexts) void one.resume();
  }

  /** Listens to a microphone from now on, or to none. */
  listenTo(track: MediaStreamTrack | null | undefined): void {
    this.source?.disconnect();
    this.source = undefined;
    const hearing = this.contexts[0];
    if (!track || !hearing || !this.microphone) return;
    this.source = hearing.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(this.microphone);
  }

  /** Queues 16-bit samples at `SPEAKER_HZ`. */
  play(pcm: Int16Array): void {
    this.speaker?.port.postMessage(pcm, [pcm.buffer as ArrayBuffer]);
  }

  /** What has not been played yet is not to be heard any more. */
  drop(): void {
    this.speaker?.port.postMessage(null);
  }

  close(): void {
    this.isClosed = true;
    this.source?.disconnect();
    this.voice?.stop();
    for (const one of this.contexts.splice(0)) void one.close();
  }
}

/** What goes over the WebSocket: Pipecat's protobuf frames, in their order. */
import { ProtobufFrameSerializer } from "@pipecat-ai/websocket-transport";
import type { RTVIMessage } from "@pipecat-ai/client-js";

/** The first byte of a frame: which field of `Frame` it is in Pipecat's frames.proto. */
const TAG = { audio: 0x12, message: 0x22, interruption: 0x2a };

type Taken = { type: "raw"; message: null } | { type: "message"; message: RTVIMessage };

export interface FrameListener {
  /** 16-bit samples. */
  onAudio(pcm: Int16Array): void;
  onInterruption(): void;
}

/**
 * The transport's serializer takes an interruption for an error (websocket-transport 1.7.1), and
 * frames in whatever order the browser has their bytes ready.
 */
export class Frames {
  private readonly protobuf = new ProtobufFrameSerializer();
  private readonly listener: FrameListener;
  private previous: Promise<unknown> = Promise.resolve();

  constructor(listener: FrameListener) {
    this.listener = listener;
  }

  serialize(): null {
    return null;
  }

  serializeAudio(data: ArrayBuffer, sampleRate: number, channels: number): Uint8Array {
    return this.protobuf.serializeAudio(data, sampleRate, channels);
  }

  serializeMessage(message: RTVIMessage): Uint8Array {
    return this.protobuf.serializeMessage(message);
  }

  deserialize(data: Blob): Promise<Taken> {
    const taken = this.previous.then(() => this.take(data));
    this.previous = taken.catch(() => {});
    return taken;
  }

  private async take(data: Blob): Promise<Taken> {
    const [tag] = new Uint8Array(await data.slice(0, 1).arrayBuffer());
    if (tag === TAG.interruption) this.listener.onInterruption();
    if (tag === TAG.audio || tag === TAG.message) {
      const frame = await this.protobuf.deserialize(data);
      if (frame.type === "message") return frame;
      this.listener.onAudio(frame.audio);
    }
    return { type: "raw", message: null };
  }
}

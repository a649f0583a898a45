// A microphone that says a sentence, and what is heard in return: what sound.py does.

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "./harness.mjs";

const INPUT_RATE_HZ = 16_000;
const OUTPUT_RATE_HZ = 24_000;
const WAV_HEADER_BYTES = 44;
const CHUNK_MS = 20;
const LEAD_S = 0.3;
const TRAIL_S = 1.2;
const AUDIBLE_DBFS = -40;
const LENGTH_TOLERANCE_S = 0.25;
const LEVEL_TOLERANCE_DB = 3;
const INTERRUPTED_WITHIN_S = 1;

const wav = await readFile(new URL("../speech.wav", import.meta.url));

/** Says a sentence once, between silences, in real time. */
export class Microphone {
  #spoken = wav.subarray(WAV_HEADER_BYTES);
  #voiceMs = Infinity;

  get seconds() {
    return this.#spoken.length / 2 / INPUT_RATE_HZ;
  }

  /** Yields 16-bit PCM in pieces of 20 ms, each when it is due. */
  async *pieces() {
    const pcm = Buffer.concat([silence(LEAD_S), this.#spoken, silence(TRAIL_S)]);
    const step = (INPUT_RATE_HZ * 2 * CHUNK_MS) / 1000;
    const begunMs = performance.now();
    this.#voiceMs = begunMs + LEAD_S * 1000;
    for (let start = 0; start < pcm.length; start += step) {
      yield pcm.subarray(start, start + step);
      const dueMs = begunMs + ((start + step) / step) * CHUNK_MS;
      await sleep(Math.max(0, dueMs - performance.now()));
    }
  }

  /** The understudy knows no words: its transcript tells how long and how loud they were. */
  checkTranscript(text) {
    const match = /^\[(\d+\.\d) seconds of speech, (-\d+) dBFS\]$/.exec(text.trim());
    expect(match, `no such transcript: ${text}`);
    this.#checkLength(match[1], text);
    const offDb = Math.abs(Number(match[2]) - dbfs(this.#spoken));
    expect(offDb <= LEVEL_TOLERANCE_DB, `${offDb.toFixed(0)} dB from what was spoken: ${text}`);
    return { note: `input transcript: ${text.trim()}` };
  }

  /** Returns what was answered; throws unless that is an answer to the sentence, all of it. */
  checkAnswer(heard) {
    const seen = heard.check();
    const match = /^you spoke for (\d+\.\d) seconds/i.exec(heard.said.trim());
    expect(match, `it answers something else: ${seen.note}`);
    this.#checkLength(match[1], seen.note);
    return seen;
  }

  /** Returns how an answer was interrupted, now; throws if that is not in time. */
  checkInterruption(heard) {
    const tookS = (performance.now() - this.#voiceMs) / 1000;
    const note =
      `interrupted ${tookS.toFixed(2)} s after the voice began, ` +
      `${heard.seconds.toFixed(1)} s in`;
    expect(heard.bytes > 0, `nothing was under way: ${note}`);
    expect(tookS > 0 && tookS <= INTERRUPTED_WITHIN_S, `not in time: ${note}`);
    return note;
  }

  #checkLength(said, where) {
    const offS = Math.abs(Number(said) - this.seconds);
    expect(offS <= LENGTH_TOLERANCE_S, `${this.seconds.toFixed(1)} s were spoken: ${where}`);
  }
}

/** Speech that comes back. */
export class Answer {
  said = "";
  #pieces = [];

  get bytes() {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  get seconds() {
    return this.bytes / 2 / OUTPUT_RATE_HZ;
  }

  take(message) {
    const content = message.serverContent;
    for (const part of content?.modelTurn?.parts ?? []) {
      if (part.inlineData?.data) this.#pieces.push(Buffer.from(part.inlineData.data, "base64"));
    }
    this.said += content?.outputTranscription?.text ?? "";
  }

  /** Returns what was heard; throws if it can't be heard or hasn't these words in it. */
  check(...contains) {
    const level = dbfs(Buffer.concat(this.#pieces));
    const heard =
      `${this.seconds.toFixed(1)} s of speech at ${level.toFixed(0)} dBFS: ` +
      `"${this.said.trim()}"`;
    expect(this.seconds >= 0.5, `too little audio: ${heard}`);
    expect(level > AUDIBLE_DBFS, `too quiet: ${heard}`);
    expect(this.said.trim() !== "", `no transcript: ${heard}`);
    for (const words of contains) {
      const isSaid = this.said.toLowerCase().includes(words.toLowerCase());
      expect(isSaid, `no "${words}" in ${heard}`);
    }
    return { note: heard, heardMs: Math.round(this.seconds * 1000) };
  }
}

function dbfs(pcm) {
  let power = 0;
  for (let at = 0; at + 1 < pcm.length; at += 2) power += pcm.readInt16LE(at) ** 2;
  return 10 * Math.log10(power / Math.max(pcm.length / 2, 1) / 32768 ** 2);
}

function silence(seconds) {
  return Buffer.alloc(Math.round(seconds * INPUT_RATE_HZ) * 2);
}

// @google/genai (JavaScript): the Live API through its own client. Prints what harness.py prints.

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { GoogleGenAI, Modality, Type } from "@google/genai";

const MODEL = "gemini-3.8-live";
const CHECK_DEADLINE_MS = 20_000;
const CHUNK_MS = 20;
const LEAD_S = 0.3;
const TRAIL_S = 1.2;
const AUDIBLE_DBFS = -40;
const INPUT_RATE_HZ = 16_000;
const OUTPUT_RATE_HZ = 24_000;
const WAV_HEADER_BYTES = 44;

const TOOL = {
  functionDeclarations: [
    {
      name: "get_weather",
      description: "Tells the weather in a city.",
      parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } } },
    },
  ],
};

/** A session whose messages are read one after the other. */
class Session {
  #arrived = [];
  #wake = () => {};
  #ended = null;
  #live;

  static async open({ handle, tools, apiKey, httpOptions } = {}) {
    const session = new Session();
    const client = new GoogleGenAI({ apiKey: apiKey ?? process.env.GOOGLE_API_KEY, httpOptions });
    session.#live = await client.live.connect({
      model: MODEL,
      config: {
        responseModalities: [Modality.AUDIO],
        inputAudioTranscription: {},
        outputAudioTranscription: {},
        sessionResumption: handle ? { handle } : {},
        ...(tools && { tools }),
      },
      callbacks: {
        onmessage: (message) => session.#take(message),
        onerror: (event) => session.#end(`error: ${event.message}`),
        onclose: (event) => session.#end(`closed with ${event.code}: ${event.reason}`),
      },
    });
    return session;
  }

  type(text) {
    this.#live.sendRealtimeInput({ text });
  }

  respond(functionResponses) {
    this.#live.sendToolResponse({ functionResponses });
  }

  /** Says a sentence in real time. */
  async speak() {
    const wav = await readFile(new URL("../speech.wav", import.meta.url));
    const silence = (seconds) => Buffer.alloc(seconds * INPUT_RATE_HZ * 2);
    const pcm = Buffer.concat([silence(LEAD_S), wav.subarray(WAV_HEADER_BYTES), silence(TRAIL_S)]);
    const step = (INPUT_RATE_HZ * 2 * CHUNK_MS) / 1000;
    const begun = performance.now();
    for (let start = 0; start < pcm.length && this.#ended === null; start += step) {
      const data = pcm.subarray(start, start + step).toString("base64");
      this.#live.sendRealtimeInput({ audio: { data, mimeType: "audio/pcm;rate=16000" } });
      const due = begun + ((start + step) / step) * CHUNK_MS;
      await sleep(Math.max(0, due - performance.now()));
    }
  }

  async *messages() {
    for (;;) {
      while (this.#arrived.length) yield this.#arrived.shift();
      if (this.#ended !== null) throw new Error(this.#ended);
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }

  /** Listens until speech has been generated; a turn that called a function may have none. */
  async answer() {
    const heard = new Answer();
    for await (const message of this.messages()) {
      heard.take(message);
      if (message.serverContent?.generationComplete && heard.bytes) return heard;
    }
  }

  close() {
    this.#ended ??= "closed by the client";
    this.#live.close();
  }

  #take(message) {
    this.#arrived.push(message);
    this.#wake();
  }

  #end(reason) {
    this.#ended ??= reason;
    this.#wake();
  }
}

/** Speech that comes back. */
class Answer {
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

  check({ contains = "" } = {}) {
    const pcm = Buffer.concat(this.#pieces);
    let power = 0;
    for (let at = 0; at + 1 < pcm.length; at += 2) power += pcm.readInt16LE(at) ** 2;
    const dbfs = 10 * Math.log10(power / Math.max(pcm.length / 2, 1) / 32768 ** 2);
    const level = `${this.seconds.toFixed(1)} s of speech at ${dbfs.toFixed(0)} dBFS`;
    const heard = `${level}: "${this.said.trim()}"`;
    expect(this.seconds >= 0.5, `too little audio: ${heard}`);
    expect(dbfs > AUDIBLE_DBFS, `too quiet: ${heard}`);
    expect(this.said.trim() !== "", `no transcript: ${heard}`);
    expect(this.said.toLowerCase().includes(contains), `no "${contains}" in ${heard}`);
    return heard;
  }
}

function expect(isSo, otherwise) {
  if (!isSo) throw new Error(otherwise);
}

/** Opens a session for as long as something is done with it. */
async function within(options, action) {
  const session = await Session.open(options);
  try {
    return await action(session);
  } finally {
    session.close();
  }
}

const checks = {
  connect: () =>
    within({}, async (session) => {
      for await (const message of session.messages()) {
        if (message.setupComplete) return "setupComplete came";
      }
    }),

  speak: () =>
    within({}, async (session) => {
      const speaking = session.speak();
      for await (const { serverContent } of session.messages()) {
        const text = serverContent?.inputTranscription?.text;
        if (text) {
          await speaking;
          return `input transcript: ${text.trim()}`;
        }
      }
    }),

  "be answered": () =>
    within({}, async (session) => {
      const speaking = session.speak();
      const answer = await session.answer();
      await speaking;
      return answer.check({ contains: "you spoke for" });
    }),

  "be interrupted": () =>
    within({}, async (session) => {
      session.type("count to 60");
      const heard = new Answer();
      let speaking = null;
      for await (const message of session.messages()) {
        heard.take(message);
        if (heard.bytes) speaking ??= session.speak();
        expect(!message.serverContent?.generationComplete, "it counted to the end");
        if (message.serverContent?.interrupted) {
          await speaking;
          return `interrupted after ${heard.seconds.toFixed(1)} s of audio had come`;
        }
      }
    }),

  "call a tool": () =>
    within({ tools: [TOOL] }, async (session) => {
      session.type("Please use get_weather.");
      for await (const { toolCall } of session.messages()) {
        const call = toolCall?.functionCalls?.[0];
        if (!call) continue;
        expect(call.name === "get_weather", `it called ${call.name}`);
        expect(Boolean(call.id), "the call has no id");
        const response = { weather: "sunny", degrees: 21 };
        session.respond([{ id: call.id, name: call.name, response }]);
        const heard = (await session.answer()).check();
        return `${call.name}(${JSON.stringify(call.args)}), then ${heard}`;
      }
    }),

  resume: async () => {
    const handle = await within({}, async (session) => {
      session.type("Hello.");
      (await session.answer()).check();
      let isOver = false;
      for await (const message of session.messages()) {
        isOver ||= Boolean(message.serverContent?.turnComplete);
        const update = message.sessionResumptionUpdate;
        if (isOver && update?.resumable && update.newHandle) return update.newHandle;
      }
    });
    return within({ handle }, async (session) => {
      session.type("What do you remember?");
      return (await session.answer()).check({ contains: "answered you once" });
    });
  },

  "ephemeral token": async () => {
    const httpOptions = { apiVersion: "v1alpha" };
    const minter = new GoogleGenAI({ apiKey: process.env.GOOGLE_API_KEY, httpOptions });
    const token = await minter.authTokens.create({ config: { uses: 1 } });
    expect(Boolean(token.name), "the token has no name");
    return within({ apiKey: token.name, httpOptions }, async (session) => {
      session.type("Hello.");
      return (await session.answer()).check({ contains: "hello" });
    });
  },
};

/** Rejects when a check takes too long; its session is left to the end of the process. */
async function deadline(check) {
  const timer = new AbortController();
  const late = sleep(CHECK_DEADLINE_MS, null, { signal: timer.signal }).then(() => {
    throw new Error(`not within ${CHECK_DEADLINE_MS / 1000} s`);
  });
  try {
    return await Promise.race([check(), late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

const sdk = new URL("node_modules/@google/genai/package.json", import.meta.url);
const { version } = JSON.parse(await readFile(sdk, "utf8"));
console.log(
  JSON.stringify({ versions: { Node: process.versions.node, "@google/genai": version } }),
);
for (const [capability, check] of Object.entries(checks)) {
  let ok = true;
  let note;
  try {
    note = await deadline(check);
  } catch (error) {
    ok = false;
    note = error.message;
  }
  console.log(JSON.stringify({ capability, ok, note }));
}
process.exit(0); // whatever a check that failed has left open

// @google/genai (JavaScript): the Live API through its own client.

import { readFile } from "node:fs/promises";

import { GoogleGenAI, Modality, Type } from "@google/genai";

import {
  MODEL,
  TOOL_NAME,
  TOOL_REQUEST,
  TOOL_RESULT,
  TOOL_WORDS,
  expect,
  report,
} from "./harness.mjs";
import { Answer, Microphone } from "./sound.mjs";

const TOOL = {
  functionDeclarations: [
    {
      name: TOOL_NAME,
      description: "Tells the weather in a city.",
      parameters: {
        type: Type.OBJECT,
        properties: { city: { type: Type.STRING } },
        required: ["city"],
      },
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

  /** Says a sentence in real time, or as much of it as the session lasts for. */
  async speak(microphone) {
    for await (const piece of microphone.pieces()) {
      if (this.#ended !== null) return;
      const data = piece.toString("base64");
      this.#live.sendRealtimeInput({ audio: { data, mimeType: "audio/pcm;rate=16000" } });
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

  /** Returns the handle that stands for everything up to the end of the turn. */
  async handleAfterTurn() {
    let isOver = false;
    for await (const message of this.messages()) {
      isOver ||= Boolean(message.serverContent?.turnComplete);
      const update = message.sessionResumptionUpdate;
      if (isOver && update?.resumable && update.newHandle) return update.newHandle;
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
        if (message.setupComplete) return { note: "setupComplete came" };
      }
    }),

  speak: () =>
    within({}, async (session) => {
      const microphone = new Microphone();
      const speaking = session.speak(microphone);
      for await (const { serverContent } of session.messages()) {
        const text = serverContent?.inputTranscription?.text;
        if (!text) continue;
        await speaking;
        return microphone.checkTranscript(text);
      }
    }),

  "be answered": () =>
    within({}, async (session) => {
      const microphone = new Microphone();
      const speaking = session.speak(microphone);
      const heard = await session.answer();
      await speaking;
      return microphone.checkAnswer(heard);
    }),

  "be interrupted": () =>
    within({}, async (session) => {
      const microphone = new Microphone();
      session.type("count to 60");
      const heard = new Answer();
      let speaking = null;
      let note = null;
      for await (const message of session.messages()) {
        heard.take(message);
        if (heard.bytes) speaking ??= session.speak(microphone);
        expect(!message.serverContent?.generationComplete, "it spoke to the end");
        if (!message.serverContent?.interrupted) continue;
        note = microphone.checkInterruption(heard);
        break;
      }
      const answered = microphone.checkAnswer(await session.answer());
      await speaking;
      return { note: `${note}, then ${answered.note}`, heardMs: answered.heardMs };
    }),

  "call a tool": () =>
    within({ tools: [TOOL] }, async (session) => {
      session.type(TOOL_REQUEST);
      for await (const { toolCall } of session.messages()) {
        const call = toolCall?.functionCalls?.[0];
        if (!call) continue;
        const called = `${call.name}(${JSON.stringify(call.args)})`;
        expect(called === `${TOOL_NAME}({"city":"Paris"})`, `it called ${called}`);
        expect(Boolean(call.id), "the call has no id");
        session.respond([{ id: call.id, name: call.name, response: TOOL_RESULT }]);
        const told = (await session.answer()).check(...TOOL_WORDS);
        return { note: `${called}, then ${told.note}`, heardMs: told.heardMs };
      }
    }),

  resume: async () => {
    const handle = await within({}, async (session) => {
      session.type("Remember that my dog is Rex.");
      (await session.answer()).check();
      return session.handleAfterTurn();
    });
    return within({ handle }, async (session) => {
      session.type("What did I tell you?");
      return (await session.answer()).check("my dog is Rex");
    });
  },

  "ephemeral token": async () => {
    const httpOptions = { apiVersion: "v1alpha" };
    const minter = new GoogleGenAI({ apiKey: process.env.GOOGLE_API_KEY, httpOptions });
    const token = await minter.authTokens.create({ config: { uses: 1 } });
    expect(Boolean(token.name), "the token has no name");
    return within({ apiKey: token.name, httpOptions }, async (session) => {
      session.type("Hello.");
      return (await session.answer()).check("hello");
    });
  },
};

const sdk = new URL("node_modules/@google/genai/package.json", import.meta.url);
const { version } = JSON.parse(await readFile(sdk, "utf8"));
await report({ "@google/genai": version }, checks);
process.exit(0); // whatever a check that failed has left open

/** What Pipecat's client tells of a conversation, as the page's own events. */
import type { LLMSearchOrigin, RTVIEventCallbacks } from "@pipecat-ai/client-js";
import { isServerMessage } from "./protocol";
import type { Event } from "./state";
import type { Citation } from "./turns";
import { words } from "./words";

export function conversationCallbacks(tell: (event: Event) => void): RTVIEventCallbacks {
  return {
    onServerMessage: (message: unknown) => {
      if (isServerMessage(message)) tell({ type: "server", message, at_ms: performance.now() });
    },
    onUserStartedSpeaking: () => tell({ type: "user-started-speaking" }),
    onUserTranscript: ({ text, final }) => {
      if (final) tell({ type: "user-transcript", text });
    },
    onBotLlmStarted: () => tell({ type: "bot-started-response" }),
    onBotLlmText: ({ text }) => tell({ type: "bot-wrote", text }),
    onBotOutput: ({ text }) => tell({ type: "bot-output", text }),
    onBotStoppedSpeaking: () => tell({ type: "bot-stopped-speaking" }),
    onLLMFunctionCallInProgress: ({ tool_call_id: callId, function_name: name = words.aTool }) =>
      tell({ type: "tool-started", callId, name }),
    onLLMFunctionCallStopped: ({ tool_call_id: callId, cancelled }) =>
      tell({ type: "tool-stopped", callId, state: cancelled ? "cancelled" : "done" }),
    onBotLlmSearchResponse: ({ origins }) => tell({ type: "sources", sources: citations(origins) }),
  };
}

/** Only pages of the web become links. */
export function citations(origins: readonly LLMSearchOrigin[]): Citation[] {
  return origins.flatMap(({ site_uri: url = "", site_title: title }) =>
    /^https?:\/\//i.test(url) && URL.canParse(url)
      ? [{ url, title: title || new URL(url).hostname }]
      : [],
  );
}

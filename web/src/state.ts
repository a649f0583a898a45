/** Everything the page shows, as one value, and what each event makes of it. No DOM, no clock. */
import type { Health } from "./network/pace";
import type {
  LinkMessage,
  LookingMessage,
  ServerMessage,
  SessionMessage,
  Transport,
  UsageMessage,
} from "./protocol";
import { reduceTurns, type TurnEvent, type Turns } from "./turns";
import { said, words, type DeviceKind } from "./words";

export type Line =
  | { readonly phase: "idle" }
  | { readonly phase: "connecting" }
  | { readonly phase: "ready"; readonly reconnecting: boolean }
  | { readonly phase: "ended"; readonly reason: string }
  | { readonly phase: "failed"; readonly reason: string };

export type DeviceState = "off" | "starting" | "on";

export interface Devices {
  readonly mic: DeviceState;
  readonly cam: DeviceState;
  readonly screen: DeviceState;
}

export interface Alert {
  readonly id: number;
  readonly text: string;
  /** Settled when this device works after all; of a limit, when the call is over. */
  readonly about?: DeviceKind | "limit";
}

/** With the time of the page's clock, in milliseconds, at which it was so. */
export type Usage = UsageMessage & { readonly at_ms: number };

export type Looking = Partial<Record<LookingMessage["source"], LookingMessage>>;

export interface State {
  readonly line: Line;
  /** How the server is reached. */
  readonly way: Transport | null;
  /** The first way was blocked. */
  readonly isFallback: boolean;
  readonly devices: Devices;
  /** The microphone is open only while the user holds a key. */
  readonly isPushToTalk: boolean;
  readonly usage: Usage | null;
  /** What the model was shown last. */
  readonly looking: Looking;
  readonly session: SessionMessage | null;
  readonly link: LinkMessage | null;
  /** The line between the page and the server. */
  readonly network: Health;
  /** Why the server is about to end the session, once it has said so. */
  readonly farewell: string | null;
  readonly turns: Turns;
  /** What the model has written of its latest answer, said or not. */
  readonly written: string;
  readonly alerts: readonly Alert[];
  readonly nextAlertId: number;
  /** The browser will not play the bot's voice until the user asks for it. */
  readonly isSoundBlocked: boolean;
}

export type Event =
  | { readonly type: "connecting" }
  | { readonly type: "way"; readonly way: Transport; readonly isFallback?: boolean }
  | { readonly type: "resuming"; readonly turns: Turns }
  | { readonly type: "ready" }
  | { readonly type: "reconnecting"; readonly value: boolean }
  | { readonly type: "network"; readonly state: Health }
  | { readonly type: "hung-up" }
  | { readonly type: "bot-left" }
  | { readonly type: "line-lost" }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "devices"; readonly devices: Devices }
  | { readonly type: "server"; readonly message: ServerMessage; readonly at_ms: number }
  | { readonly type: "push-to-talk"; readonly value: boolean }
  | { readonly type: "sound-blocked"; readonly value: boolean }
  | { readonly type: "alert"; readonly text: string; readonly about?: DeviceKind }
  | { readonly type: "dismiss"; readonly id: number }
  | { readonly type: "bot-wrote"; readonly text: string }
  | TurnEvent;

const ALL_OFF: Devices = { mic: "off", cam: "off", screen: "off" };

/** More would fill a phone's screen; the oldest gives way. */
const MAX_ALERTS = 3;

export const INITIAL: State = {
  line: { phase: "idle" },
  way: null,
  isFallback: false,
  devices: ALL_OFF,
  isPushToTalk: false,
  usage: null,
  looking: {},
  session: null,
  link: null,
  network: "good",
  farewell: null,
  turns: [],
  written: "",
  alerts: [],
  nextAlertId: 0,
  isSoundBlocked: false,
};

export function isInCall(state: State): boolean {
  return state.line.phase === "connecting" || state.line.phase === "ready";
}

function alert(state: State, text: string, about?: Alert["about"]): State {
  const others = state.alerts.filter((alert) => alert.text !== text);
  const added: Alert = { id: state.nextAlertId, text, ...(about && { about }) };
  return {
    ...state,
    alerts: [...others, added].slice(-MAX_ALERTS),
    nextAlertId: state.nextAlertId + 1,
  };
}

function closed(state: State, line: Line): State {
  return {
    ...state,
    line,
    devices: ALL_OFF,
    looking: {},
    link: null,
    network: "good",
    isSoundBlocked: false,
    alerts: state.alerts.filter(({ about }) => about !== "limit"),
    turns: reduceTurns(state.turns, { type: "call-ended" }),
  };
}

function fail(state: State, reason: string): State {
  return alert(closed(state, { phase: "failed", reason }), reason);
}

/** The line closed without the user's asking: what the server said last explains it best. */
function lost(state: State, otherwise: (state: State) => State): State {
  if (state.farewell) return closed(state, { phase: "ended", reason: state.farewell });
  if (state.link?.state === "failed") return fail(state, said(state.link.text));
  return otherwise(state);
}

/** Of a source that is switched off nothing is looked at any more. */
function lookedAt(looking: Looking, devices: Devices): Looking {
  const { camera, screenVideo } = looking;
  return {
    ...(camera && devices.cam !== "off" && { camera }),
    ...(screenVideo && devices.screen !== "off" && { screenVideo }),
  };
}

function onServerMessage(state: State, message: ServerMessage, at_ms: number): State {
  switch (message.type) {
    case "session":
      return { ...state, session: message };
    case "link": {
      const next = { ...state, link: message };
      return message.state === "failed" ? alert(next, said(message.text)) : next;
    }
    case "picture": {
      const { name, state: answer, text } = message;
      const event: TurnEvent = { type: "picture-answered", name, state: answer, note: said(text) };
      return { ...state, turns: reduceTurns(state.turns, event) };
    }
    case "limit":
      return alert(state, said(message.text), "limit");
    case "usage":
      return { ...state, usage: { ...message, at_ms } };
    case "looking": {
      const looking = { ...state.looking, [message.source]: message };
      return { ...state, looking: lookedAt(looking, state.devices) };
    }
    case "interrupted":
      return { ...state, turns: reduceTurns(state.turns, { ...message, written: state.written }) };
    case "ended":
      return { ...state, farewell: said(message.text) };
  }
}

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case "connecting":
      return { ...INITIAL, nextAlertId: state.nextAlertId, line: { phase: "connecting" } };
    case "way":
      return { ...state, way: event.way, isFallback: state.isFallback || !!event.isFallback };
    case "resuming":
      return { ...reduce(state, { type: "connecting" }), turns: event.turns };
    case "ready":
      return { ...state, line: { phase: "ready", reconnecting: false } };
    case "reconnecting":
      if (state.line.phase !== "ready" || state.line.reconnecting === event.value) return state;
      return { ...state, line: { phase: "ready", reconnecting: event.value } };
    case "network":
      return state.network === event.state ? state : { ...state, network: event.state };
    case "hung-up":
      return closed(state, { phase: "ended", reason: words.youEnded });
    case "bot-left":
      return lost(state, (state) => closed(state, { phase: "ended", reason: words.botLeft }));
    case "line-lost":
      return lost(state, (state) => fail(state, words.lineLost));
    case "failed":
      return lost(state, (state) => fail(state, event.reason));
    case "devices":
      return {
        ...state,
        devices: event.devices,
        looking: lookedAt(state.looking, event.devices),
        alerts: state.alerts.filter(
          ({ about }) => !about || about === "limit" || event.devices[about] !== "on",
        ),
      };
    case "server":
      return onServerMessage(state, event.message, event.at_ms);
    case "push-to-talk":
      return { ...state, isPushToTalk: event.value };
    case "sound-blocked":
      return { ...state, isSoundBlocked: event.value };
    case "alert":
      return alert(state, event.text, event.about);
    case "dismiss":
      return { ...state, alerts: state.alerts.filter((alert) => alert.id !== event.id) };
    case "bot-started-response":
      return { ...state, written: "", turns: reduceTurns(state.turns, event) };
    case "bot-wrote":
      return { ...state, written: state.written + event.text };
    default:
      return { ...state, turns: reduceTurns(state.turns, event) };
  }
}

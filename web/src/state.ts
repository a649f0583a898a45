/** Everything the page shows, as one value, and what each event makes of it. No DOM, no clock. */
import type { LinkMessage, ServerMessage, SessionMessage } from "./protocol";
import { reduceTurns, type TurnEvent, type Turns } from "./turns";
import { words, type DeviceKind } from "./words";

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
  /** Settled when this device works after all. */
  readonly about?: DeviceKind;
}

export interface State {
  readonly line: Line;
  readonly devices: Devices;
  readonly session: SessionMessage | null;
  readonly link: LinkMessage | null;
  /** Why the server is about to end the session, once it has said so. */
  readonly farewell: string | null;
  readonly turns: Turns;
  readonly alerts: readonly Alert[];
  readonly nextAlertId: number;
  /** The browser will not play the bot's voice until the user asks for it. */
  readonly isSoundBlocked: boolean;
}

export type Event =
  | { readonly type: "connecting" }
  | { readonly type: "ready" }
  | { readonly type: "reconnecting"; readonly value: boolean }
  | { readonly type: "hung-up" }
  | { readonly type: "bot-left" }
  | { readonly type: "line-lost" }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "devices"; readonly devices: Devices }
  | { readonly type: "server"; readonly message: ServerMessage }
  | { readonly type: "sound-blocked"; readonly value: boolean }
  | { readonly type: "alert"; readonly text: string; readonly about?: DeviceKind }
  | { readonly type: "dismiss"; readonly id: number }
  | TurnEvent;

const ALL_OFF: Devices = { mic: "off", cam: "off", screen: "off" };

/** More would fill a phone's screen; the oldest gives way. */
const MAX_ALERTS = 3;

export const INITIAL: State = {
  line: { phase: "idle" },
  devices: ALL_OFF,
  session: null,
  link: null,
  farewell: null,
  turns: [],
  alerts: [],
  nextAlertId: 0,
  isSoundBlocked: false,
};

export function isInCall(state: State): boolean {
  return state.line.phase === "connecting" || state.line.phase === "ready";
}

function alert(state: State, text: string, about?: DeviceKind): State {
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
    link: null,
    isSoundBlocked: false,
    turns: reduceTurns(state.turns, { type: "bot-stopped-speaking" }),
  };
}

function fail(state: State, reason: string): State {
  return alert(closed(state, { phase: "failed", reason }), reason);
}

/** The line closed without the user's asking: what the server said last explains it best. */
function lost(state: State, otherwise: (state: State) => State): State {
  if (state.farewell) return closed(state, { phase: "ended", reason: state.farewell });
  if (state.link?.state === "failed") return fail(state, state.link.text);
  return otherwise(state);
}

function onServerMessage(state: State, message: ServerMessage): State {
  switch (message.type) {
    case "session":
      return { ...state, session: message };
    case "link": {
      const next = { ...state, link: message };
      return message.state === "failed" ? alert(next, message.text) : next;
    }
    case "picture": {
      const { name, state: answer, text: note } = message;
      const event: TurnEvent = { type: "picture-answered", name, state: answer, note };
      return { ...state, turns: reduceTurns(state.turns, event) };
    }
    case "ended":
      return { ...state, farewell: message.text };
  }
}

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case "connecting":
      return { ...INITIAL, nextAlertId: state.nextAlertId, line: { phase: "connecting" } };
    case "ready":
      return { ...state, line: { phase: "ready", reconnecting: false } };
    case "reconnecting":
      if (state.line.phase !== "ready" || state.line.reconnecting === event.value) return state;
      return { ...state, line: { phase: "ready", reconnecting: event.value } };
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
        alerts: state.alerts.filter(({ about }) => !about || event.devices[about] !== "on"),
      };
    case "server":
      return onServerMessage(state, event.message);
    case "sound-blocked":
      return { ...state, isSoundBlocked: event.value };
    case "alert":
      return alert(state, event.text, event.about);
    case "dismiss":
      return { ...state, alerts: state.alerts.filter((alert) => alert.id !== event.id) };
    default:
      return { ...state, turns: reduceTurns(state.turns, event) };
  }
}

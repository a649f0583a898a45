/** The page's fixed parts, and how each of them shows the state. The conversation draws itself. */
import { Conversation } from "./conversation";
import type { Salon } from "./protocol";
import { isInCall, type Alert, type DeviceState, type State } from "./state";
import { sessionNote, status, words, type DeviceKind } from "./words";

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const node = document.getElementById(id);
  if (!(node instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return node;
}

export const parts = {
  session: find("session", HTMLParagraphElement),
  status: find("status", HTMLParagraphElement),
  notice: find("notice", HTMLParagraphElement),
  alerts: find("alerts", HTMLDivElement),
  conversation: find("conversation", HTMLOListElement),
  selfView: find("self-view", HTMLVideoElement),
  screenView: find("screen-view", HTMLVideoElement),
  lobby: find("lobby", HTMLFormElement),
  personas: find("personas", HTMLFieldSetElement),
  connect: find("connect", HTMLButtonElement),
  dock: find("dock", HTMLElement),
  composer: find("composer", HTMLFormElement),
  picture: find("picture", HTMLInputElement),
  text: find("text", HTMLTextAreaElement),
  send: find("send", HTMLButtonElement),
  mic: find("mic", HTMLButtonElement),
  cam: find("cam", HTMLButtonElement),
  screen: find("screen", HTMLButtonElement),
  end: find("end", HTMLButtonElement),
  level: find("bot-level", HTMLDivElement),
  unblock: find("unblock", HTMLButtonElement),
  audio: find("bot-audio", HTMLAudioElement),
};

const conversation = new Conversation(parts.conversation);

/** What is known before any call: the notice, who can be talked with, which pictures are taken. */
export function showSalon(salon: Salon): void {
  parts.notice.textContent = salon.notice;
  parts.notice.hidden = !salon.notice;
  parts.picture.accept = salon.pictures.types.join(",");
  const cards = salon.personas.map((persona) => {
    const card = document.createElement("label");
    card.className = "persona";
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "persona", value: persona.name });
    radio.defaultChecked = persona.default ?? false;
    const title = document.createElement("strong");
    title.textContent = persona.title;
    const summary = document.createElement("span");
    summary.textContent = persona.summary;
    card.append(radio, title, summary);
    return card;
  });
  parts.personas.querySelectorAll(".persona").forEach((card) => card.remove());
  parts.personas.append(...cards);
  parts.personas.hidden = cards.length === 0;
}

export function chosenPersona(): string | null {
  const chosen = new FormData(parts.lobby).get("persona");
  return typeof chosen === "string" ? chosen : null;
}

function showAlerts(alerts: readonly Alert[], dismiss: (id: number) => void): void {
  const shown = new Map(
    [...parts.alerts.children].map((node) => [(node as HTMLElement).dataset["id"], node]),
  );
  const nodes = alerts.map((alert) => shown.get(String(alert.id)) ?? createAlert(alert, dismiss));
  // An alert region speaks whenever its content changes, so it is left alone when nothing did.
  if (nodes.length !== shown.size || nodes.some((node) => !node.isConnected)) {
    parts.alerts.replaceChildren(...nodes);
  }
}

function createAlert(alert: Alert, dismiss: (id: number) => void): HTMLElement {
  const node = document.createElement("div");
  node.className = "alert";
  node.dataset["id"] = String(alert.id);
  const text = document.createElement("p");
  text.textContent = alert.text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "dismiss";
  button.ariaLabel = words.dismiss;
  button.textContent = "×";
  button.addEventListener("click", () => dismiss(alert.id));
  node.append(text, button);
  return node;
}

function showToggle(button: HTMLButtonElement, device: DeviceState, isUsable: boolean): void {
  button.ariaPressed = String(device !== "off");
  button.dataset["device"] = device;
  button.disabled = !isUsable;
}

function showView(video: HTMLVideoElement, track: MediaStreamTrack | undefined): void {
  video.hidden = track === undefined;
  const current =
    video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] : undefined;
  if (current !== track) video.srcObject = track ? new MediaStream([track]) : null;
}

export function showLevel(level: number): void {
  parts.level.dataset["level"] = level.toFixed(2);
  parts.level.style.setProperty("--level", level.toFixed(2));
}

/** The lobby and the dock take turns; whoever was in the one that goes is not left nowhere. */
function moveFocus(isInCall: boolean): void {
  const [leaving, target] = isInCall
    ? [parts.lobby, parts.conversation]
    : [parts.dock, parts.connect];
  if (leaving.contains(document.activeElement)) target.focus();
}

export interface Sources {
  track(kind: DeviceKind): MediaStreamTrack | undefined;
  dismiss(id: number): void;
  readonly canShareScreen: boolean;
}

export function show(state: State, sources: Sources): void {
  const { phase } = state.line;
  const isReady = phase === "ready";
  document.body.dataset["state"] = phase;
  document.body.dataset["reconnecting"] = String(isReady && state.line.reconnecting);
  parts.status.textContent = parts.status.title = status(state);
  parts.session.textContent = sessionNote(state);
  parts.connect.textContent = phase === "idle" ? words.connect : words.connectAgain;
  showAlerts(state.alerts, sources.dismiss);

  showToggle(parts.mic, state.devices.mic, isReady);
  showToggle(parts.cam, state.devices.cam, isReady);
  showToggle(parts.screen, state.devices.screen, isReady);
  parts.screen.hidden = !sources.canShareScreen;
  parts.text.disabled = parts.picture.disabled = parts.send.disabled = !isReady;
  parts.unblock.hidden = !(isInCall(state) && state.isSoundBlocked);

  showView(parts.selfView, sources.track("cam"));
  showView(parts.screenView, sources.track("screen"));
  conversation.draw(state.turns);
  moveFocus(isInCall(state));
}

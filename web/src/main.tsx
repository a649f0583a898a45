/** Starts the page. */
import { render } from "preact";
import { Desk } from "./desk";
import { announce, wishesIn } from "./embed/frame";
import { preferredLanguage } from "./language";
import { collect } from "./pictures";
import { isHindered } from "./sentences";
import "./style/base.css";
import "./style/top.css";
import "./style/lobby.css";
import "./style/room.css";
import "./style/dock.css";
import { App } from "./ui/app";
import { words } from "./words";

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const node = document.getElementById(id);
  if (!(node instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return node;
}

const root = find("app", HTMLDivElement);
const wishes = wishesIn(location.search);
const desk = new Desk(find("bot-audio", HTMLAudioElement), wishes.persona, draw);

function draw(): void {
  const { line } = desk.state;
  announce(line.phase);
  document.body.dataset["state"] = line.phase;
  document.body.dataset["hindered"] = String(isHindered(desk.state));
  document.body.dataset["reconnecting"] = String(line.phase === "ready" && line.reconnecting);
  render(<App desk={desk} />, root);
}

if (wishes.isEmbedded) document.body.dataset["embed"] = "1";
desk.speak(preferredLanguage(wishes.language));
void desk.learnSalon();
if (!window.isSecureContext) desk.alert(words.deviceTrouble("mic", "insecure"));

collect((files) => desk.sendPictures(files));
window.addEventListener("pagehide", () => desk.leave());
window.addEventListener("pageshow", () => desk.resume());

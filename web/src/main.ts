/** Wires the page together: the state, the call of the moment, and what the user does. */
import { fetchSalon, ServerError } from "./api";
import { Call } from "./call";
import { canShareScreen } from "./capture";
import { collect, refusal } from "./pictures";
import type { Salon } from "./protocol";
import { INITIAL, reduce, type Event } from "./state";
import { chosenPersona, parts, show, showLevel, showSalon } from "./view";
import { Voice } from "./voice";
import { words, type DeviceKind } from "./words";

let state = INITIAL;
let call: Call | null = null;
let salon: Salon | null = null;

const voice = new Voice(parts.audio, {
  onBlocked: (value) => dispatch({ type: "sound-blocked", value }),
  onLevel: showLevel,
});

function dispatch(event: Event): void {
  state = reduce(state, event);
  render();
}

function render(): void {
  show(state, {
    track: (kind) => call?.track(kind),
    dismiss: (id) => dispatch({ type: "dismiss", id }),
    canShareScreen: canShareScreen(),
  });
}

function alert(text: string): void {
  dispatch({ type: "alert", text });
}

/** What the server offers; asked again on Connect when the server was away at first. */
async function learnSalon(): Promise<Salon | null> {
  if (salon) return salon;
  try {
    salon = await fetchSalon();
    showSalon(salon);
  } catch (error) {
    alert(error instanceof ServerError ? error.message : words.serverSpeaksOtherwise);
  }
  return salon;
}

async function connect(): Promise<void> {
  if (call) return;
  const known = await learnSalon();
  const persona = chosenPersona() ?? known?.personas[0]?.name;
  if (call || persona === undefined) return;
  dispatch({ type: "connecting" });
  call = new Call(persona, {
    dispatch,
    onBotTrack: (track) => voice.play(track),
    onClosed: () => {
      call = null;
      voice.stop();
    },
  });
  void call.start();
}

function sendText(): void {
  const text = parts.text.value.trim();
  if (text !== "" && call?.sendText(text)) clearText();
}

/** What is in the text box goes with the first picture. */
function sendPictures(files: File[]): void {
  if (files.length === 0) return;
  if (!call || !salon || state.line.phase !== "ready") {
    alert(words.picture.callFirst);
    return;
  }
  for (const file of files) {
    const sentence = refusal(file, salon.pictures);
    if (sentence) {
      alert(sentence);
      continue;
    }
    call.sendPicture(file, parts.text.value.trim() || words.defaultCaption);
    clearText();
  }
}

function clearText(): void {
  parts.text.value = "";
  fitText();
}

/** As high as its lines; style.css sets the limit. */
function fitText(): void {
  parts.text.style.height = "auto";
  parts.text.style.height = `${parts.text.scrollHeight}px`;
}

parts.lobby.addEventListener("submit", (event) => {
  event.preventDefault();
  void connect();
});
parts.end.addEventListener("click", () => call?.end());
parts.unblock.addEventListener("click", () => void voice.unblock());
for (const kind of ["mic", "cam", "screen"] satisfies DeviceKind[]) {
  parts[kind].addEventListener("click", () => call?.switch(kind, state.devices[kind] === "off"));
}
parts.composer.addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
parts.text.addEventListener("input", fitText);
parts.text.addEventListener("keydown", (event) => {
  // While an input method is composing, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
collect(parts.picture, sendPictures);
// Frees the session at once; otherwise the server would wait for the line to time out.
window.addEventListener("pagehide", () => call?.end());

render();
void learnSalon();
if (!window.isSecureContext) alert(words.deviceTrouble("mic", "insecure"));

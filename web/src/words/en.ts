/** What the page says, in English. */
import type { Translations } from "../translation";
import type { PictureState } from "../turns";
import type { DeviceKind, DeviceTrouble, WhyOver } from "../words";

const DEVICE: Record<DeviceKind, string> = {
  mic: "microphone",
  cam: "camera",
  screen: "screen",
};

const WHY_OVER: Record<WhyOver, string> = {
  ended: "it ended while this page was away",
  elsewhere: "it goes on in another page",
  unknown: "Salon does not know it any more",
  unreachable: "Salon cannot be reached",
};

const CAN_TYPE: Record<DeviceKind, string> = {
  mic: " You can still type.",
  cam: "",
  screen: "",
};

function deviceTrouble(kind: DeviceKind, trouble: DeviceTrouble): string {
  const device = DEVICE[kind];
  const rest = CAN_TYPE[kind];
  switch (trouble) {
    case "refused":
      return `The browser refused the ${device}: allow it for this page beside the address, then switch it on here.${rest}`;
    case "missing":
      return `No ${device} was found: plug one in, then switch it on here.${rest}`;
    case "busy":
      return `The ${device} is in use by another program: close that, then switch it on here.${rest}`;
    case "unsuitable":
      return `The ${device} does not offer what Salon needs.${rest}`;
    case "insecure":
      return `Browsers give the ${device} only to pages opened over https or from this computer itself.${rest}`;
    case "unknown":
      return `The ${device} could not be started.${rest}`;
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "")} MB`;
}

/** "image/png", "image/jpeg" → ["PNG", "JPEG"] */
export function formats(types: readonly string[]): string[] {
  return types.map((type) => type.replace(/^image\//, "").toUpperCase());
}

function either(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${last}` : last;
}

export const en = {
  youEnded: "You ended the conversation.",
  botLeft: "Salon ended the conversation.",
  lineLost: "The connection to Salon was lost: check that the server is running and connect again.",

  serverUnreachable: "The Salon server cannot be reached: check that it is running and try again.",
  serverTooSlow: "The Salon server took too long to answer. Try again.",
  serverSpeaksOtherwise: "The Salon server gave an answer this page does not understand.",
  serverRefused: (status: number) => `The Salon server refused the request (status ${status}).`,
  over: (why: WhyOver) => `The conversation is over: ${WHY_OVER[why]}. Start again.`,
  connectionFailed:
    "No connection came about between this browser and Salon: a firewall or a VPN may be in the way.",
  botSilent: "Salon did not answer in time. Try again.",

  deviceTrouble,
  cameraGone: "The camera is gone: plug it in and switch it on again.",

  who: { user: "You", bot: "Salon" },
  dismiss: "Dismiss",
  connect: "Connect",
  connectAgain: "Connect again",

  defaultCaption: "What do you see in this picture?",
  picture: {
    callFirst: "Connect first, then send pictures.",
    notTaken: "This Salon server takes no pictures.",
    wrongType: (name: string, types: readonly string[]) =>
      `${name} is not a picture Salon can read: send ${either(formats(types))}.`,
    empty: (name: string) => `${name} is empty.`,
    tooLarge: (name: string, bytes: number, limit: number) =>
      `${name} is too large: ${megabytes(bytes)}, and at most ${megabytes(limit)} can be sent.`,
    notSent: (name: string) => `${name} was not sent, because the connection closed.`,
  },
  pictureState: {
    sending: "Sending",
    sent: "Sent",
    seen: "The model has seen it",
    refused: "Not seen",
  } as Record<PictureState, string>,
  textNotSent: "The text was not sent, because the connection is not open.",
  keysNotSent: "The key was not sent, because the connection is not open.",

  line: {
    idle: "Not connected",
    connecting: "Connecting…",
    reconnecting: "Reconnecting…",
    ready: "Ready",
    ended: (reason: string) => `Ended: ${reason}`,
    failed: "Failed",
  },
  slow: { video: "The network is slow: fewer frames.", sound: "The network is slow." },
  /** What the server says is English already. */
  server: {} as Translations,
  offline: "offline",
  left: (time: string) => `${time} left`,
  spent: (money: string) => `${money} so far`,

  interrupted: "interrupted",
  notHeard: "not heard",
  sources: "Sources",
  aTool: "a tool",
  tool: {
    running: (name: string) => `Using ${name}…`,
    done: (name: string) => `Used ${name}`,
    cancelled: (name: string) => `Stopped using ${name}`,
  },

  conversation: "Conversation",
  hint: "Say something, type, or show a picture.",
  views: "What Salon sees",
  sees: {
    camera: "Your camera, as Salon last saw it",
    screenVideo: "Your screen, as Salon last saw it",
  },
  yourCamera: "Your camera",
  yourScreen: "Your shared screen",

  whom: "Who would you like to talk with?",
  serverKey: "Key for this server",
  finePrint:
    "Your browser will ask for the microphone. The camera stays off until you switch it on.",
  devices: {
    title: "Microphone and camera",
    microphone: "Microphone",
    camera: "Camera",
    level: "How loud you are",
    preview: "Preview of your camera",
    showCamera: "Show the camera",
    unnamed: (kind: string, number: number) => `${kind} ${number}`,
  },
  more: "More choices",
  answers: { title: "Answers", voice: "Spoken, with captions", text: "Written only" },
  voice: "Voice",
  language: "Language",
  usualVoice: "The usual one",
  usualLanguage: (name: string) => `The usual one: ${name}`,
  way: {
    title: "Connection",
    webrtc: "Direct (WebRTC)",
    websocket: "WebSocket, where WebRTC is blocked",
    daily: "A Daily room",
  },
  modelKey: {
    may: "Your own Gemini API key (optional)",
    must: "Your Gemini API key",
    note: "Used for this conversation only. It is not kept, and nobody is shown it.",
  },
  pageLanguage: "Language of this page",

  messageLabel: "Message or caption",
  messageHint: "Type, or paste a picture",
  send: "Send",
  sendPicture: "Send a picture",
  gets: "What Salon gets",
  mic: "Microphone",
  cam: "Camera",
  screen: "Screen",
  pushToTalk: "Push to talk",
  holdToTalk: "Hold to talk",
  holdHint: "or hold the space bar",
  keypad: "Keypad",
  key: (key: string) => `Key ${key}`,
  end: "End",
  hearSalon: "Tap to hear Salon",
  dropHere: "Drop the picture anywhere",

  ways: {
    fallingBack: "WebRTC is blocked here: trying over WebSocket…",
    notLoaded: "A part of this page could not be loaded: reload it and connect again.",
    dailyNotLoaded:
      "Daily could not be loaded: choose a direct connection, or allow c.daily.co in this browser.",
    noVideo:
      "Camera and screen can't be sent over WebSocket: send pictures, or connect where WebRTC gets through.",
    sessionGone:
      "This conversation is over, or the server was restarted: connect again to start a new one.",
    tryAgainIn: (what: string, seconds: number) =>
      `${what}: try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`,
  },
};

/** Every sentence that the page says, in one place. */
import type { Line, State } from "./state";
import type { PictureState } from "./turns";

export type DeviceKind = "mic" | "cam" | "screen";

/** Why the browser did not hand over a device. */
export type DeviceTrouble = "refused" | "missing" | "busy" | "unsuitable" | "insecure" | "unknown";

const DEVICE: Record<DeviceKind, string> = {
  mic: "microphone",
  cam: "camera",
  screen: "screen",
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

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "")} MB`;
}

/** "image/png", "image/jpeg" → "PNG or JPEG" */
function formats(types: readonly string[]): string {
  const names = types.map((type) => type.replace(/^image\//, "").toUpperCase());
  const last = names.pop() ?? "";
  return names.length > 0 ? `${names.join(", ")} or ${last}` : last;
}

export const words = {
  youEnded: "You ended the conversation.",
  botLeft: "Salon ended the conversation.",
  lineLost: "The connection to Salon was lost.",

  serverUnreachable: "The Salon server cannot be reached: check that it is running and try again.",
  serverTooSlow: "The Salon server took too long to answer. Try again.",
  serverSpeaksOtherwise: "The Salon server gave an answer this page does not understand.",
  serverRefused: (status: number) => `The Salon server refused the request (status ${status}).`,
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
      `${name} is not a picture Salon can read: send ${formats(types)}.`,
    empty: (name: string) => `${name} is empty.`,
    tooLarge: (name: string, bytes: number, limit: number) =>
      `${name} is too large: ${megabytes(bytes)}, and at most ${megabytes(limit)} can be sent.`,
    notSent: (name: string) => `${name} was not sent, because the connection closed.`,
  },
  pictureState: {
    sending: "Sending",
    sent: "Sent",
    seen: "Seen",
    refused: "Not seen",
  } satisfies Record<PictureState, string>,
  textNotSent: "The text was not sent, because the connection is not open.",
};

function withStop(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** The state of the line, in a few plain words. */
export function status(state: State): string {
  const line: Line = state.line;
  switch (line.phase) {
    case "idle":
      return "Not connected";
    case "connecting":
      return "Connecting…";
    case "ready":
      if (line.reconnecting) return "Reconnecting…";
      if (state.link && (state.link.state !== "ready" || state.link.notice))
        return withStop(state.link.text);
      return "Ready";
    case "ended":
      return `Ended: ${line.reason}`;
    case "failed":
      return `Failed: ${line.reason}`;
  }
}

/** Who answers, and for how long. */
export function sessionNote(state: State): string {
  const session = state.session;
  if (!session) return "";
  const limit = session.time_limit_s;
  const parts = [session.title, session.model];
  if (session.offline) parts.push("offline");
  if (limit !== null) {
    parts.push(limit < 90 ? `up to ${limit} seconds` : `up to ${Math.round(limit / 60)} minutes`);
  }
  return parts.join(" · ");
}

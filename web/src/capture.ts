/** One track from a microphone, camera or screen, and why there is none. */
import type { DeviceKind, DeviceTrouble } from "./words";

/** The bot sees about one frame a second, and each frame sent costs the server a decode. */
export const FRAME_RATE_FPS = 5;

/** Names from the W3C's "Media Capture and Streams", getUserMedia(). */
export function troubleOf(error: unknown): DeviceTrouble {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    case "OverconstrainedError":
      return "unsuitable";
    default:
      return "unknown";
  }
}

/**
 * Closing the browser's list of screens is a choice of the user's, not trouble. It has the same
 * error name as a refusal by the operating system; only Chromium's message tells them apart.
 */
export function isSecondThought(kind: DeviceKind, error: unknown): boolean {
  return (
    kind === "screen" &&
    error instanceof DOMException &&
    error.name === "NotAllowedError" &&
    !error.message.includes("system")
  );
}

function open(kind: DeviceKind, deviceId: string | undefined): Promise<MediaStream> {
  const chosen = deviceId === undefined ? {} : { deviceId: { exact: deviceId } };
  const frameRate = { ideal: FRAME_RATE_FPS };
  switch (kind) {
    case "mic":
      return navigator.mediaDevices.getUserMedia({
        audio: { ...chosen, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    case "cam":
      return navigator.mediaDevices.getUserMedia({
        video: { ...chosen, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate },
      });
    case "screen":
      return navigator.mediaDevices.getDisplayMedia({ video: { frameRate }, audio: false });
  }
}

export async function capture(
  kind: DeviceKind,
  deviceId: string | undefined,
): Promise<MediaStreamTrack> {
  const stream = await open(kind, deviceId);
  const track = stream.getTracks()[0];
  if (!track) throw new DOMException("The stream has no track.", "NotFoundError");
  // When there are too few bits, frames come later, not smaller: the bot looks at few, and reads
  // them. How few, and when they are smaller after all, is for network/pace.ts.
  if (kind !== "mic") track.contentHint = "detail";
  return track;
}

export function canShareScreen(): boolean {
  return navigator.mediaDevices !== undefined && "getDisplayMedia" in navigator.mediaDevices;
}

/** What a sender of video may send, as the browser takes it. */
import type { Encoding, Hint } from "./pace";

export async function apply(sender: RTCRtpSender, wanted: Encoding, hint: Hint): Promise<void> {
  // Whatever is set makes a whole new picture, even when it is what was set before.
  if (sender.track && sender.track.contentHint !== hint) sender.track.contentHint = hint;
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  const names = Object.keys(wanted) as (keyof Encoding)[];
  if (!encoding || names.every((name) => encoding[name] === wanted[name])) return;
  Object.assign(encoding, wanted);
  try {
    await sender.setParameters(parameters);
  } catch {
    // Its connection is being replaced or has ended: the next one is told again.
  }
}

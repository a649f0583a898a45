/** What the user shows: as the browser has it, and as the model last saw it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Desk } from "../desk";
import type { LookingMessage } from "../protocol";
import { words } from "../words";

interface VideoProps {
  readonly track: MediaStreamTrack;
  readonly name: string;
  readonly label: string;
}

export function Video({ track, name, label }: VideoProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = new MediaStream([track]);
  }, [track]);
  return (
    <video
      class="view"
      data-testid={name}
      aria-label={label}
      ref={video}
      autoplay
      muted
      playsInline
    />
  );
}

/** The page's policy allows pictures from blobs, and not from the text of an address. */
function useJpeg(base64: string): string {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [base64]);
  return url;
}

function Seen({ frame }: { frame: LookingMessage }) {
  const label = words.sees[frame.source];
  const url = useJpeg(frame.jpeg);
  return (
    <figure class="seen" data-testid="looking" data-source={frame.source}>
      {url && <img src={url} alt={label} width={frame.width} height={frame.height} />}
      <figcaption>{label}</figcaption>
    </figure>
  );
}

export function Views({ desk }: { desk: Desk }) {
  const { camera, screenVideo } = desk.state.looking;
  const [cam, screen] = [desk.track("cam"), desk.track("screen")];
  if (!cam && !screen) return null;
  return (
    // On a narrow screen it scrolls, and has to be reached for that.
    <aside class="views" aria-label={words.views} tabIndex={0}>
      {cam && <Video track={cam} name="self-view" label={words.yourCamera} />}
      {camera && <Seen frame={camera} />}
      {screen && <Video track={screen} name="screen-view" label={words.yourScreen} />}
      {screenVideo && <Seen frame={screenVideo} />}
    </aside>
  );
}

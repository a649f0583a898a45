import { useEffect } from "preact/hooks";
import type { Desk } from "../desk";
import { words } from "../words";
import { Icon } from "./icons";

/** In these the space bar has a meaning of its own. */
const OTHERS = "input, textarea, select, button, a, summary";

function isForUs(event: KeyboardEvent): boolean {
  const { target } = event;
  return event.code === "Space" && !(target instanceof Element && target.closest(OTHERS));
}

export function HoldToTalk({ desk }: { desk: Desk }) {
  const press = () => desk.hold(true);
  const release = () => desk.hold(false);
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (!isForUs(event)) return;
      event.preventDefault();
      if (!event.repeat) press();
    };
    const up = (event: KeyboardEvent) => {
      if (event.code === "Space") release();
    };
    document.addEventListener("keydown", down);
    document.addEventListener("keyup", up);
    // A key that is let go in another window is not heard of here.
    window.addEventListener("blur", release);
    return () => {
      document.removeEventListener("keydown", down);
      document.removeEventListener("keyup", up);
      window.removeEventListener("blur", release);
      release();
    };
  }, [desk]);
  const isHeld = desk.state.devices.mic === "on";
  return (
    <button
      class="hold"
      data-testid="hold"
      data-held={isHeld}
      type="button"
      aria-pressed={isHeld}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        press();
      }}
      onPointerUp={release}
      onPointerCancel={release}
      // Enter: once to speak, once more to stop; the space bar is held here as elsewhere.
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.code !== "Space") return;
        event.preventDefault();
        if (!event.repeat) (isHeld ? release : press)();
      }}
      // Otherwise a browser may make a click of it.
      onKeyUp={(event) => event.code === "Space" && event.preventDefault()}
      // A screen reader clicks, and neither presses nor releases.
      onClick={(event) => event.detail === 0 && (isHeld ? release : press)()}
      onContextMenu={(event) => event.preventDefault()}
    >
      <Icon name="mic" />
      <span>
        {words.holdToTalk} <small>{words.holdHint}</small>
      </span>
    </button>
  );
}

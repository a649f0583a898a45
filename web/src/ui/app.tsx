import { useEffect, useRef } from "preact/hooks";
import type { Desk } from "../desk";
import { status } from "../sentences";
import type { State } from "../state";
import { words } from "../words";
import { Banners } from "./banners";
import { Conversation } from "./conversation";
import { Dock } from "./dock";
import { Lobby } from "./lobby";
import { Top } from "./top";
import { Views } from "./views";

/** What fills the room while nothing has been said. */
function hint(state: State): string {
  return state.line.phase === "ready" ? words.hint : status(state);
}

export function App({ desk }: { desk: Desk }) {
  const { state, isInCall } = desk;
  const conversation = useRef<HTMLOListElement>(null);
  const connect = useRef<HTMLButtonElement>(null);
  const wasInCall = useRef(isInCall);

  // The lobby and the dock take turns; whoever was in the one that goes is not left nowhere.
  useEffect(() => {
    if (wasInCall.current === isInCall) return;
    wasInCall.current = isInCall;
    const isNowhere = document.activeElement === document.body || !document.activeElement;
    if (isNowhere) (isInCall ? conversation : connect).current?.focus();
  }, [isInCall]);

  return (
    <>
      <Top desk={desk} />
      <Banners desk={desk} />
      <main class="room">
        <div class="stage">
          <Conversation turns={state.turns} list={conversation} />
          {isInCall && state.turns.length === 0 && <p class="hint">{hint(state)}</p>}
          <Lobby desk={desk} isHidden={isInCall} button={connect} />
        </div>
        {isInCall && <Views desk={desk} />}
      </main>
      {isInCall && <Dock desk={desk} />}
      <p class="drop-here" aria-hidden="true">
        {words.dropHere}
      </p>
    </>
  );
}

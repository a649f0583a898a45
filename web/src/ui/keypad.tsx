import type { Desk } from "../desk";
import { words } from "../words";
import { Icon } from "./icons";

const KEYS = [..."123456789*0#"];

/** A popover of the browser's: Escape and a click elsewhere close it. */
export function Keypad({ desk, isUsable }: { desk: Desk; isUsable: boolean }) {
  return (
    <>
      <button
        class="toggle"
        data-testid="keypad"
        type="button"
        title={words.keypad}
        popovertarget="keys"
        disabled={!isUsable}
      >
        <Icon name="keypad" />
        <span class="unseen">{words.keypad}</span>
      </button>
      <div class="keys" id="keys" popover="auto" role="group" aria-label={words.keypad}>
        {KEYS.map((key) => (
          <button
            key={key}
            type="button"
            data-testid={`key-${key}`}
            aria-label={words.key(key)}
            onClick={() => desk.press(key)}
          >
            {key}
          </button>
        ))}
      </div>
    </>
  );
}

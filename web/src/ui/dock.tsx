/** What one has in hand in a call: typing and pictures, the devices, the keypad, the end. */
import { useCallback } from "preact/hooks";
import { canShareScreen } from "../capture";
import type { Desk } from "../desk";
import type { DeviceState } from "../state";
import { words } from "../words";
import { Composer } from "./composer";
import { Icon } from "./icons";
import { Keypad } from "./keypad";
import { useLevel } from "./level";
import { HoldToTalk } from "./hold";

interface ToggleProps {
  readonly name: "mic" | "cam" | "screen";
  readonly device: DeviceState;
  readonly isUsable: boolean;
  readonly onClick: () => void;
}

function Toggle({ name, device, isUsable, onClick }: ToggleProps) {
  return (
    <button
      class="toggle"
      data-testid={name}
      data-device={device}
      type="button"
      title={words[name]}
      aria-pressed={device !== "off"}
      disabled={!isUsable}
      onClick={onClick}
    >
      <Icon name={name} />
      <span class="label">{words[name]}</span>
    </button>
  );
}

function Orb({ desk }: { desk: Desk }) {
  const orb = useLevel(useCallback(() => desk.level, [desk]));
  return <div class="orb" data-testid="bot-level" data-level="0" aria-hidden="true" ref={orb} />;
}

export function Dock({ desk }: { desk: Desk }) {
  const { state } = desk;
  const isReady = state.line.phase === "ready";
  const toggle = (name: ToggleProps["name"]) => (
    <Toggle
      name={name}
      device={state.devices[name]}
      isUsable={isReady}
      onClick={() => desk.switch(name)}
    />
  );
  return (
    <footer class="dock">
      {state.isSoundBlocked && (
        <button
          class="primary unblock"
          data-testid="unblock"
          type="button"
          onClick={() => desk.hear()}
        >
          {words.hearSalon}
        </button>
      )}
      {state.isPushToTalk && <HoldToTalk desk={desk} />}
      <Composer desk={desk} />
      <div class="controls">
        <Orb desk={desk} />
        <div class="toggles" role="group" aria-label={words.gets}>
          {!state.isPushToTalk && toggle("mic")}
          <button
            class="toggle"
            data-testid="push-to-talk"
            type="button"
            title={words.pushToTalk}
            aria-pressed={state.isPushToTalk}
            disabled={!isReady}
            onClick={() => desk.setPushToTalk(!state.isPushToTalk)}
          >
            <Icon name="hold" />
            <span class="unseen">{words.pushToTalk}</span>
          </button>
          {toggle("cam")}
          {canShareScreen() && toggle("screen")}
          <Keypad desk={desk} isUsable={isReady} />
        </div>
        <button class="end" data-testid="end" type="button" onClick={() => desk.end()}>
          <Icon name="end" />
          <span class="label">{words.end}</span>
        </button>
      </div>
    </footer>
  );
}

/** Before a call, and after one: with whom, with which devices, and how. */
import type { RefObject } from "preact";
import { readChoices } from "../choices";
import type { Desk } from "../desk";
import type { Persona } from "../protocol";
import { introduced } from "../sentences";
import { words } from "../words";
import { Devices } from "./devices";
import { KeyField, MoreChoices } from "./more-choices";

function Card({ persona, isChosen }: { persona: Persona; isChosen: boolean }) {
  const { title, summary } = introduced(persona);
  return (
    <label class="persona">
      <input type="radio" name="persona" value={persona.name} defaultChecked={isChosen} />
      {persona.picture && <img src={persona.picture} alt="" width={56} height={56} />}
      <strong>{title}</strong>
      <span>{summary}</span>
    </label>
  );
}

interface LobbyProps {
  readonly desk: Desk;
  readonly isHidden: boolean;
  readonly button: RefObject<HTMLButtonElement | null>;
}

/** It stays where it is in a call, unseen, so that what was chosen is still chosen after it. */
export function Lobby({ desk, isHidden, button }: LobbyProps) {
  const { salon, state, wantedPersona } = desk;
  const isWanted = ({ name, default: usual }: Persona) =>
    salon?.personas.some((persona) => persona.name === wantedPersona)
      ? name === wantedPersona
      : (usual ?? false);
  return (
    <form
      class="lobby"
      data-testid="lobby"
      hidden={isHidden}
      onSubmit={(event) => {
        event.preventDefault();
        const { choices, keys } = readChoices(new FormData(event.currentTarget));
        void desk.connect(choices, keys);
      }}
    >
      {salon && (
        <fieldset class="personas" data-testid="persona">
          <legend>{words.whom}</legend>
          {salon.personas.map((persona) => (
            <Card key={persona.name} persona={persona} isChosen={isWanted(persona)} />
          ))}
        </fieldset>
      )}
      {salon?.needs_key && <KeyField name="server-key" label={words.serverKey} />}
      {salon?.model_key === "must" && (
        <KeyField name="model-key" label={words.modelKey.must} note={words.modelKey.note} />
      )}
      {!isHidden && <Devices desk={desk} />}
      {salon && <MoreChoices salon={salon} />}
      <button class="primary" data-testid="connect" type="submit" ref={button}>
        {state.line.phase === "idle" ? words.connect : words.connectAgain}
      </button>
      <p class="fine-print">{words.finePrint}</p>
    </form>
  );
}

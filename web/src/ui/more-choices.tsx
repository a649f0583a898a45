/** What few people choose: how the bot answers, with which voice, over which way, by whose key. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Salon } from "../protocol";
import { languageName, words } from "../words";

interface KeyFieldProps {
  readonly name: string;
  readonly label: string;
  readonly note?: string;
}

export function KeyField({ name, label, note }: KeyFieldProps) {
  const noteId = useId();
  return (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        data-testid={name}
        type="password"
        autocomplete="off"
        spellcheck={false}
        {...(note && { "aria-describedby": noteId })}
      />
      {note && <small id={noteId}>{note}</small>}
    </label>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly children: ComponentChildren;
}

function Choice({ name, label, children }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select name={name} data-testid={name}>
        {children}
      </select>
    </label>
  );
}

export function MoreChoices({ salon }: { salon: Salon }) {
  const { voices, languages, transports } = salon;
  return (
    <details class="more" data-testid="more">
      <summary>{words.more}</summary>
      <Choice name="answers" label={words.answers.title}>
        <option value="voice">{words.answers.voice}</option>
        <option value="text">{words.answers.text}</option>
      </Choice>
      {voices.length > 0 && (
        <Choice name="voice" label={words.voice}>
          <option value="">{words.usualVoice}</option>
          {voices.map((voice) => (
            <option key={voice}>{voice}</option>
          ))}
        </Choice>
      )}
      {languages.length > 0 && (
        <Choice name="language" label={words.language}>
          <option value="">{words.usualLanguage(languageName(salon.language))}</option>
          {languages.map((code) => (
            <option key={code} value={code}>
              {languageName(code)}
            </option>
          ))}
        </Choice>
      )}
      {transports.length > 1 && (
        <Choice name="transport" label={words.way.title}>
          {transports.map((transport) => (
            <option key={transport} value={transport}>
              {words.way[transport]}
            </option>
          ))}
        </Choice>
      )}
      {salon.model_key === "may" && (
        <KeyField name="model-key" label={words.modelKey.may} note={words.modelKey.note} />
      )}
    </details>
  );
}

/** The top: whose house it is, who answers, how long and for how much, and the state of the line. */
import { useEffect, useState } from "preact/hooks";
import type { Desk } from "../desk";
import { remember } from "../language";
import { clock, costOf, leftAt, sessionNote, status } from "../sentences";
import type { Usage } from "../state";
import { LANGUAGES, languageOf, spokenLanguage, words } from "../words";

/** With less time left than this, the clock catches the eye. */
const SOON_S = 60;

function Spent({ usage }: { usage: Usage }) {
  const [now_ms, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const left_s = leftAt(usage, now_ms);
  const cost = costOf(usage);
  return (
    <p class="spent" data-testid="spent">
      {left_s !== null && (
        <span data-testid="left" data-soon={left_s < SOON_S}>
          {words.left(clock(left_s))}
        </span>
      )}
      {cost !== null && <span data-testid="cost">{words.spent(cost)}</span>}
    </p>
  );
}

function PageLanguage({ desk }: { desk: Desk }) {
  return (
    <select
      class="page-language"
      data-testid="page-language"
      aria-label={words.pageLanguage}
      value={spokenLanguage()}
      onChange={(event) => {
        const language = languageOf([event.currentTarget.value]);
        remember(language);
        desk.speak(language);
      }}
    >
      {Object.entries(LANGUAGES).map(([code, { name }]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

export function Top({ desk }: { desk: Desk }) {
  const { salon, state, isInCall } = desk;
  const sentence = status(state);
  return (
    <header class="top">
      <h1 class="name">Salon</h1>
      <p class="session" data-testid="session">
        {sessionNote(state, salon?.personas)}
      </p>
      {state.usage && isInCall && <Spent usage={state.usage} />}
      <p class="status" role="status" data-testid="status" title={sentence}>
        {sentence}
      </p>
      {!isInCall && <PageLanguage desk={desk} />}
    </header>
  );
}

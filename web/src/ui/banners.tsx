import type { Desk } from "../desk";
import { said, words } from "../words";

export function Banners({ desk }: { desk: Desk }) {
  const { state, salon } = desk;
  const notice = salon?.notice && said(salon.notice);
  return (
    <div class="banners">
      {notice && (
        <p class="notice" data-testid="notice">
          {notice}
        </p>
      )}
      <div class="alerts" role="alert" data-testid="alert">
        {state.alerts.map(({ id, text }) => (
          <div class="alert" key={id}>
            <p>{text}</p>
            <button
              type="button"
              class="dismiss"
              aria-label={words.dismiss}
              onClick={() => desk.dispatch({ type: "dismiss", id })}
            >
              ×
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}

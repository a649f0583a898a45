import { useLayoutEffect, useRef } from "preact/hooks";
import type { Desk } from "../desk";
import { chosen } from "../pictures";
import { words } from "../words";
import { Icon } from "./icons";

export function Composer({ desk }: { desk: Desk }) {
  const text = useRef<HTMLTextAreaElement>(null);
  const isReady = desk.state.line.phase === "ready";
  // As high as its lines; the style sets the limit.
  useLayoutEffect(() => {
    if (!text.current) return;
    text.current.style.height = "auto";
    text.current.style.height = `${text.current.scrollHeight}px`;
  }, [desk.draft]);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        desk.sendText();
      }}
    >
      <label class="tool" title={words.sendPicture}>
        <input
          class="file"
          data-testid="picture"
          type="file"
          multiple
          accept={desk.salon?.pictures.types.join(",")}
          disabled={!isReady}
          onChange={(event) => desk.sendPictures(chosen(event.currentTarget))}
        />
        <Icon name="picture" />
        <span class="unseen">{words.sendPicture}</span>
      </label>
      <label class="unseen" for="text">
        {words.messageLabel}
      </label>
      <textarea
        id="text"
        data-testid="text"
        rows={1}
        placeholder={words.messageHint}
        autocomplete="off"
        disabled={!isReady}
        value={desk.draft}
        ref={text}
        onInput={(event) => desk.setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          // While an input method is composing, Enter chooses a word.
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          desk.sendText();
        }}
      />
      <button
        class="tool send"
        data-testid="send"
        type="submit"
        title={words.send}
        disabled={!isReady}
      >
        <Icon name="send" />
        <span class="unseen">{words.send}</span>
      </button>
    </form>
  );
}

/** The turns. A screen reader is told what is added, so nothing is drawn anew that did not change. */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isEmpty, side, unheard, type Answer, type Picture, type Turn, type Turns } from "../turns";
import { words } from "../words";
import { Icon } from "./icons";

/** How far from the end, in pixels, still counts as reading the newest turn. */
const NEAR_END_PX = 80;

/** What the browser can't show, the server will refuse; its name is enough. */
function Thumbnail({ picture }: { picture: Picture }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken || picture.url === "") return <p class="turn-file">{picture.name}</p>;
  return (
    <img
      class="turn-picture"
      src={picture.url}
      alt={picture.name}
      onError={() => setBroken(true)}
    />
  );
}

/** That it was seen is all there is to say of it; otherwise there is a reason. */
function pictureNote({ state, note }: Picture): string {
  const said = words.pictureState[state];
  return note && state !== "seen" ? `${said}: ${note}` : said;
}

function Said({ answer }: { answer: Answer }) {
  const rest = unheard(answer);
  return (
    <>
      <p class="turn-text">
        {rest ? answer.heard : answer.text}
        {rest && (
          <s class="not-heard" title={words.notHeard}>
            {rest}
          </s>
        )}
      </p>
      {answer.heard !== undefined && <p class="turn-note">{words.interrupted}</p>}
      {answer.sources && answer.sources.length > 0 && (
        <ul class="sources" aria-label={words.sources}>
          {answer.sources.map(({ url, title }) => (
            <li key={url}>
              <a href={url} target="_blank" rel="noopener noreferrer">
                {title}
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Words({ turn }: { turn: Turn }) {
  switch (turn.kind) {
    case "answer":
      return <Said answer={turn} />;
    case "tool":
      return (
        <p class="turn-text">
          <Icon name="tool" /> {words.tool[turn.state](turn.text)}
        </p>
      );
    case "picture":
      return (
        <>
          <Thumbnail picture={turn.picture} />
          <p class="turn-text">{turn.text}</p>
          <p class="turn-note">{pictureNote(turn.picture)}</p>
        </>
      );
    default:
      return <p class="turn-text">{turn.text}</p>;
  }
}

function Item({ turn }: { turn: Turn }) {
  const isInterrupted = turn.kind === "answer" && turn.heard !== undefined;
  return (
    <li
      class="turn"
      data-side={side(turn)}
      data-kind={turn.kind}
      data-picture={turn.kind === "picture" ? turn.picture.state : undefined}
      data-tool={turn.kind === "tool" ? turn.state : undefined}
      data-interrupted={isInterrupted ? "true" : undefined}
    >
      <span class="who">{`${words.who[side(turn)]}: `}</span>
      <Words turn={turn} />
    </li>
  );
}

export function Conversation({
  turns,
  list,
}: {
  turns: Turns;
  list: RefObject<HTMLOListElement | null>;
}) {
  // Whoever has scrolled back to read is left there.
  const follows = useRef(true);
  const top = useRef(0);
  const follow = () => {
    if (list.current && follows.current) list.current.scrollTop = list.current.scrollHeight;
  };
  useLayoutEffect(follow, [turns]);
  useEffect(() => {
    const observer = new ResizeObserver(follow);
    if (list.current) observer.observe(list.current);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = list.current ?? {};
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) follows.current = true;
    // Only a reader scrolls back; a picture that grows while loading moves the end away instead.
    else if (scrollTop < top.current) follows.current = false;
    top.current = scrollTop;
  };
  const shown = turns.filter((turn) => !isEmpty(turn));
  return (
    <ol
      class="conversation"
      data-testid="conversation"
      aria-label={words.conversation}
      aria-live="polite"
      // A list that scrolls must be reachable by keyboard; an empty one is only in the way.
      tabIndex={shown.length > 0 ? 0 : -1}
      ref={list}
      onScroll={onScroll}
      // A picture has its height only once it is loaded.
      onLoadCapture={follow}
    >
      {shown.map((turn) => (
        <Item key={turn.id} turn={turn} />
      ))}
    </ol>
  );
}

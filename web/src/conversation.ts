/** Draws the turns as list items, touching only what changed: screen readers announce each change. */
import { isEmpty, side, type Picture, type Turn, type Turns } from "./turns";
import { words } from "./words";

/** How far from the end, in pixels, still counts as reading the newest turn. */
const NEAR_END_PX = 80;

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

/** Leaves the same text alone, which would be announced once more. */
function setText(item: HTMLElement, part: string, text: string): void {
  const node = item.querySelector(part);
  if (node && node.textContent !== text) node.textContent = text;
}

function createImage(picture: Picture): HTMLImageElement {
  const image = element("img", "turn-picture");
  image.src = picture.url;
  image.alt = picture.name;
  // What the browser cannot show, the server will refuse; its name is enough.
  image.addEventListener("error", () => image.replaceWith(element("p", "turn-file", picture.name)));
  return image;
}

function drawPicture(item: HTMLElement, picture: Picture): void {
  item.dataset["picture"] = picture.state;
  const state = words.pictureState[picture.state];
  setText(item, ".turn-note", picture.note ? `${state}: ${picture.note}` : state);
}

function create(turn: Turn): HTMLLIElement {
  const item = element("li", "turn");
  item.dataset["side"] = side(turn);
  item.dataset["kind"] = turn.kind;
  item.append(element("span", "who", `${words.who[side(turn)]}: `));
  if (turn.kind === "picture") item.append(createImage(turn.picture));
  item.append(element("p", "turn-text"));
  if (turn.kind === "picture") item.append(element("p", "turn-note"));
  return item;
}

function draw(item: HTMLElement, turn: Turn): void {
  setText(item, ".turn-text", turn.text);
  if (turn.kind === "picture") drawPicture(item, turn.picture);
}

export class Conversation {
  private readonly list: HTMLElement;
  private drawn: Turns = [];
  private readonly items = new Map<number, HTMLLIElement>();
  /** Whoever has scrolled back to read is left there. */
  private follows = true;

  constructor(list: HTMLElement) {
    this.list = list;
    const follow = () => this.follow();
    let previousTop = 0;
    list.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = list;
      if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.follows = true;
      // Only a reader scrolls back; a picture that grows while loading moves the end away instead.
      else if (scrollTop < previousTop) this.follows = false;
      previousTop = scrollTop;
    });
    // A picture has its height only once it is loaded, and "load" does not bubble.
    list.addEventListener("load", follow, { capture: true });
    new ResizeObserver(follow).observe(list);
  }

  draw(turns: Turns): void {
    if (turns === this.drawn) return;
    if (turns.length < this.drawn.length) this.clear();
    const known = this.drawn;
    this.drawn = turns;
    let previous: HTMLLIElement | undefined;
    for (const turn of turns) {
      if (isEmpty(turn)) continue;
      const item = this.items.get(turn.id) ?? this.insert(turn, previous);
      if (known[turn.id] !== turn) draw(item, turn);
      previous = item;
    }
    // A list that scrolls must be reachable by keyboard; an empty one is only in the way.
    this.list.tabIndex = this.items.size > 0 ? 0 : -1;
    this.follow();
  }

  private follow(): void {
    if (this.follows) this.list.scrollTop = this.list.scrollHeight;
  }

  /** A turn of speech gets its words late, so a new item is not always the last. */
  private insert(turn: Turn, previous: HTMLLIElement | undefined): HTMLLIElement {
    const item = create(turn);
    if (previous) previous.after(item);
    else this.list.prepend(item);
    this.items.set(turn.id, item);
    return item;
  }

  private clear(): void {
    for (const turn of this.drawn) {
      if (turn.kind === "picture") URL.revokeObjectURL(turn.picture.url);
    }
    this.list.replaceChildren();
    this.items.clear();
    this.drawn = [];
  }
}

/** The conversation as a list of turns, and the rules that put each piece of text where it belongs. */

export type PictureState = "sending" | "sent" | "seen" | "refused";

export interface Picture {
  readonly name: string;
  readonly url: string;
  readonly state: PictureState;
  /** What the server or the page said about it; empty until there is something to say. */
  readonly note: string;
}

/**
 * An answer is `open` while the bot speaks. When it falls silent it is `paused`, since a slow line
 * makes gaps inside one response; the model's next response makes it `done`.
 */
export type AnswerPhase = "open" | "paused" | "done";

export type Turn = { readonly id: number; readonly text: string } & (
  | { readonly kind: "speech" }
  | { readonly kind: "typed" }
  | { readonly kind: "picture"; readonly picture: Picture }
  | { readonly kind: "answer"; readonly phase: AnswerPhase }
);

export type Turns = readonly Turn[];

export type TurnEvent =
  | { readonly type: "typed"; readonly text: string }
  | { readonly type: "user-started-speaking" }
  | { readonly type: "user-transcript"; readonly text: string }
  | { readonly type: "bot-started-response" }
  | { readonly type: "bot-output"; readonly text: string }
  | { readonly type: "bot-stopped-speaking" }
  | {
      readonly type: "picture-added";
      readonly caption: string;
      readonly name: string;
      readonly url: string;
    }
  | {
      readonly type: "picture-moved";
      readonly url: string;
      readonly state: PictureState;
      readonly note: string;
    }
  | {
      readonly type: "picture-answered";
      readonly name: string;
      readonly state: "seen" | "refused";
      readonly note: string;
    };

export function side(turn: Turn): "user" | "bot" {
  return turn.kind === "answer" ? "bot" : "user";
}

/** A turn of speech is made when the user starts speaking and stays empty until its words come. */
export function isEmpty(turn: Turn): boolean {
  return turn.text === "" && turn.kind !== "picture";
}

/** Turns are only ever appended, so an index serves as a name for good. */
function append(turns: Turns, turn: (id: number) => Turn): Turns {
  return [...turns, turn(turns.length)];
}

function replace(turns: Turns, turn: Turn): Turns {
  return turns.with(turn.id, turn);
}

/**
 * Keeps a place for what the user is about to say. The transcript is late: the bot's answer has
 * often begun by the time the words arrive, and must still come after them.
 */
function userStartedSpeaking(turns: Turns): Turns {
  if (turns.at(-1)?.kind === "speech") return turns;
  return append(turns, (id) => ({ id, text: "", kind: "speech" }));
}

/** One final piece of the user's transcript: a sentence, or what was said before a pause. */
function userTranscript(turns: Turns, piece: string): Turns {
  const text = piece.trim();
  if (text === "") return turns;
  const speech = turns.findLast((turn) => turn.kind === "speech");
  const isOver =
    speech &&
    speech.text !== "" &&
    turns
      .slice(speech.id + 1)
      .some((turn) => turn.kind !== "speech" && !(turn.kind === "answer" && turn.phase === "open"));
  if (!speech || isOver) return append(turns, (id) => ({ id, text, kind: "speech" }));
  return replace(turns, { ...speech, text: speech.text ? `${speech.text} ${text}` : text });
}

/**
 * Pieces carry their own spaces, so they join as they are; only a response that follows another
 * without a pause begins like the first, without one.
 */
function join(text: string, piece: string): string {
  return /[.!?…]$/.test(text) && /^\p{Lu}/u.test(piece) ? `${text} ${piece}` : text + piece;
}

/** One piece of what the bot says. */
function botOutput(turns: Turns, piece: string): Turns {
  const last = turns.findLast((turn) => !isEmpty(turn));
  const current =
    turns.findLast((turn) => turn.kind === "answer" && turn.phase === "open") ??
    (last?.kind === "answer" && last.phase === "paused" ? last : undefined);
  if (current) {
    return replace(turns, {
      ...current,
      kind: "answer",
      phase: "open",
      text: join(current.text, piece),
    });
  }
  const text = piece.trimStart();
  if (text === "") return turns;
  return append(turns, (id) => ({ id, text, kind: "answer", phase: "open" }));
}

function movePhase(turns: Turns, from: AnswerPhase, to: AnswerPhase): Turns {
  return turns.map((turn) =>
    turn.kind === "answer" && turn.phase === from ? { ...turn, phase: to } : turn,
  );
}

/** A picture's object URL is its name within the page: two files may be called the same. */
function pictureMoved(turns: Turns, url: string, state: PictureState, note: string): Turns {
  return turns.map((turn) =>
    turn.kind === "picture" && turn.picture.url === url
      ? { ...turn, picture: { ...turn.picture, state, note } }
      : turn,
  );
}

/** The server answers uploads in the order they came; the name tells them apart when one is lost. */
function pictureAnswered(
  turns: Turns,
  name: string,
  state: "seen" | "refused",
  note: string,
): Turns {
  const waiting = turns
    .flatMap((turn) => (turn.kind === "picture" ? [turn.picture] : []))
    .filter((picture) => picture.state === "sending" || picture.state === "sent");
  const picture = waiting.find((picture) => picture.name === name) ?? waiting[0];
  return picture ? pictureMoved(turns, picture.url, state, note) : turns;
}

export function reduceTurns(turns: Turns, event: TurnEvent): Turns {
  switch (event.type) {
    case "typed":
      return append(turns, (id) => ({ id, text: event.text, kind: "typed" }));
    case "user-started-speaking":
      return userStartedSpeaking(turns);
    case "user-transcript":
      return userTranscript(turns, event.text);
    case "bot-started-response":
      return movePhase(turns, "paused", "done");
    case "bot-output":
      return botOutput(turns, event.text);
    case "bot-stopped-speaking":
      return movePhase(turns, "open", "paused");
    case "picture-added": {
      const picture: Picture = { name: event.name, url: event.url, state: "sending", note: "" };
      return append(turns, (id) => ({ id, text: event.caption, kind: "picture", picture }));
    }
    case "picture-moved":
      return pictureMoved(turns, event.url, event.state, event.note);
    case "picture-answered":
      return pictureAnswered(turns, event.name, event.state, event.note);
  }
}

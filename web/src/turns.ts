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

/** Where an answer comes from: a page of the web. */
export interface Citation {
  readonly url: string;
  readonly title: string;
}

export interface Answer {
  readonly id: number;
  readonly text: string;
  readonly kind: "answer";
  readonly phase: AnswerPhase;
  /** Of an interrupted answer: how much of the text was heard. */
  readonly heard?: string;
  readonly sources?: readonly Citation[];
}

export type ToolState = "running" | "done" | "cancelled";

export type Turn =
  | Answer
  | ({ readonly id: number; readonly text: string } & (
      | { readonly kind: "speech" }
      | { readonly kind: "typed" }
      | { readonly kind: "picture"; readonly picture: Picture }
      /** `text` is the tool's name. */
      | { readonly kind: "tool"; readonly callId: string; readonly state: ToolState }
    ));

export type Turns = readonly Turn[];

export type TurnEvent =
  | { readonly type: "typed"; readonly text: string }
  | { readonly type: "user-started-speaking" }
  | { readonly type: "user-transcript"; readonly text: string }
  | { readonly type: "bot-started-response" }
  | { readonly type: "bot-output"; readonly text: string }
  | { readonly type: "bot-stopped-speaking" }
  /** `written`: what the model has written of its answer, which goes ahead of what is said. */
  | { readonly type: "interrupted"; readonly heard: string; readonly written: string }
  | { readonly type: "call-ended" }
  | { readonly type: "sources"; readonly sources: readonly Citation[] }
  | { readonly type: "tool-started"; readonly callId: string; readonly name: string }
  | { readonly type: "tool-stopped"; readonly callId: string; readonly state: ToolState }
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
  return turn.kind === "answer" || turn.kind === "tool" ? "bot" : "user";
}

function isOpen(turn: Turn): turn is Answer {
  return turn.kind === "answer" && turn.phase === "open";
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
      .some((turn) => turn.kind !== "speech" && turn.kind !== "tool" && !isOpen(turn));
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
    turns.findLast(isOpen) ??
    (last?.kind === "answer" && last.phase === "paused" ? last : undefined);
  if (current) {
    return replace(turns, { ...current, phase: "open", text: join(current.text, piece) });
  }
  const text = piece.trimStart();
  if (text === "") return turns;
  return append(turns, (id) => ({ id, text, kind: "answer", phase: "open" }));
}

/** The latest answer with something in it changes; before the first there is none. */
function changeAnswer(turns: Turns, change: (answer: Answer) => Answer): Turns {
  const answer = turns.findLast((turn) => turn.kind === "answer");
  return answer ? replace(turns, change(answer)) : turns;
}

/** The part of an answer that was not heard, when the user broke in. */
export function unheard(answer: Answer): string {
  const { text, heard } = answer;
  return heard !== undefined && text.startsWith(heard) ? text.slice(heard.length) : "";
}

/**
 * What was heard may be more than has been shown, or less. An answer that is done is another one than
 * was broken into: of that nothing had been shown yet.
 */
function interrupted(answer: Answer, words: string, written: string): Answer {
  if (answer.phase === "done") return answer;
  const heard = words.trim();
  const whole = [written.trim(), answer.text].find((text) => text.startsWith(heard));
  const text = whole ?? heard;
  return { ...answer, text, heard, phase: "done" };
}

function toolStopped(turns: Turns, callId: string, state: ToolState): Turns {
  return turns.map((turn) =>
    turn.kind === "tool" && turn.callId === callId ? { ...turn, state } : turn,
  );
}

/** Nobody will tell what becomes of a tool that runs when its call is over. */
function withoutTool(turn: Turn): Turn {
  return turn.kind === "tool" && turn.state === "running" ? { ...turn, state: "cancelled" } : turn;
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
    case "interrupted":
      return changeAnswer(turns, (answer) => interrupted(answer, event.heard, event.written));
    case "call-ended":
      return movePhase(turns.map(withoutTool), "open", "paused");
    case "sources":
      return changeAnswer(turns, (answer) => ({ ...answer, sources: event.sources }));
    case "tool-started": {
      const { callId, name: text } = event;
      return append(turns, (id) => ({ id, text, kind: "tool", callId, state: "running" }));
    }
    case "tool-stopped":
      return toolStopped(turns, event.callId, event.state);
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

import { describe, expect, test } from "vitest";
import { isEmpty, reduceTurns, side, unheard, type TurnEvent, type Turns } from "../src/turns";

const after = (...events: TurnEvent[]): Turns => events.reduce(reduceTurns, []);

/** What a reader sees: who said what, in order. */
const said = (turns: Turns): string[] =>
  turns.filter((turn) => !isEmpty(turn)).map((turn) => `${side(turn)}: ${turn.text}`);

const speaks: TurnEvent = { type: "user-started-speaking" };
const responds: TurnEvent = { type: "bot-started-response" };
const fallsSilent: TurnEvent = { type: "bot-stopped-speaking" };
const heard = (text: string): TurnEvent => ({ type: "user-transcript", text });
const output = (text: string): TurnEvent => ({ type: "bot-output", text });
const typed = (text: string): TurnEvent => ({ type: "typed", text });
const picture = (name: string): TurnEvent => ({
  type: "picture-added",
  caption: "What is it?",
  name,
  url: `blob:${name}`,
});

describe("the user's speech", () => {
  test("joins the sentences of one turn with spaces", () => {
    expect(said(after(speaks, heard("Hello."), heard(" How are you?")))).toEqual([
      "user: Hello. How are you?",
    ]);
  });

  test("comes before the answer, though its transcript arrives after the answer has begun", () => {
    expect(said(after(speaks, responds, output("Yes,"), heard("Is it red?")))).toEqual([
      "user: Is it red?",
      "bot: Yes,",
    ]);
  });

  test("keeps a late sentence with the turn that is being answered", () => {
    const turns = after(speaks, heard("Look."), output("I"), heard("Is it red?"), output(" see."));
    expect(said(turns)).toEqual(["user: Look. Is it red?", "bot: I see."]);
  });

  test("is a new turn after an interruption", () => {
    const turns = after(
      speaks,
      heard("Go on."),
      output("Once"),
      speaks,
      fallsSilent,
      heard("Stop."),
    );
    expect(said(turns)).toEqual(["user: Go on.", "bot: Once", "user: Stop."]);
  });

  test("is a new turn once the answer is over, even if no start of speech was seen", () => {
    const turns = after(heard("One."), output("Two."), fallsSilent, heard("Three."));
    expect(said(turns)).toEqual(["user: One.", "bot: Two.", "user: Three."]);
  });

  test("shows nothing for a noise without words", () => {
    expect(said(after(speaks, output("Hello.")))).toEqual(["bot: Hello."]);
    expect(said(after(heard("  ")))).toEqual([]);
  });

  test("does not mix with what was typed", () => {
    expect(said(after(speaks, heard("One."), typed("two"), speaks, heard("Three.")))).toEqual([
      "user: One.",
      "user: two",
      "user: Three.",
    ]);
  });
});

describe("the bot's answer", () => {
  test("is one turn, its pieces joined as they are", () => {
    expect(said(after(output("Un"), output("der"), output(" way.")))).toEqual(["bot: Under way."]);
  });

  test("goes on after a gap in the audio of the same response", () => {
    const turns = after(responds, output("Wait"), fallsSilent, output(" for it."));
    expect(said(turns)).toEqual(["bot: Wait for it."]);
  });

  test("is a new turn with the next response", () => {
    const turns = after(output("First."), fallsSilent, responds, output("Second."));
    expect(said(turns)).toEqual(["bot: First.", "bot: Second."]);
  });

  test("separates a response that follows without a pause", () => {
    expect(said(after(output("First."), responds, output("Second.")))).toEqual([
      "bot: First. Second.",
    ]);
  });

  test("goes on where it was when the user types meanwhile", () => {
    const turns = after(output("Once"), typed("shorter"), output(" upon"));
    expect(said(turns)).toEqual(["bot: Once upon", "user: shorter"]);
  });

  test("does not begin with spaces, nor with nothing", () => {
    expect(said(after(output(" "), output(" Hello")))).toEqual(["bot: Hello"]);
  });
});

describe("pictures", () => {
  const states = (turns: Turns) =>
    turns.map((turn) => turn.kind === "picture" && `${turn.picture.state} ${turn.picture.note}`);

  test("are answered in the order they were sent", () => {
    const turns = after(picture("a.png"), picture("a.png"), {
      type: "picture-answered",
      name: "a.png",
      state: "seen",
      note: "Seen.",
    });
    expect(states(turns)[0]).toBe("seen Seen.");
  });

  test("are told apart by name when an earlier one has no answer", () => {
    const turns = after(picture("a.png"), picture("b.png"), {
      type: "picture-answered",
      name: "b.png",
      state: "refused",
      note: "It is broken.",
    });
    expect(states(turns)).toEqual(["sending ", "refused It is broken."]);
  });

  test("count as shown though they have no words", () => {
    expect(said(after({ ...picture("a.png"), caption: "" } as TurnEvent))).toEqual(["user: "]);
  });

  test("an answer for no picture changes nothing", () => {
    const turns = after(typed("hello"));
    const answer: TurnEvent = { type: "picture-answered", name: "x", state: "seen", note: "" };
    expect(reduceTurns(turns, answer)).toBe(turns);
  });
});

test("a call that is over leaves no answer open, and no tool running", () => {
  const starts: TurnEvent = { type: "tool-started", callId: "c1", name: "clock" };
  const turns = after(starts, output("It is"), { type: "call-ended" });
  expect(turns).toMatchObject([{ state: "cancelled" }, { phase: "paused" }]);
});

describe("an answer that the user breaks into", () => {
  const breaksIn = (heard: string, written = ""): TurnEvent => {
    return { type: "interrupted", heard, written };
  };

  test("shows what was heard, and what was not", () => {
    const turns = after(output("One, two, three, four."), speaks, breaksIn("One, two,"));
    const [answer] = turns;
    expect(answer).toMatchObject({ kind: "answer", heard: "One, two,", phase: "done" });
    expect(answer?.kind === "answer" && unheard(answer)).toBe(" three, four.");
  });

  test("is as long as what was written by then, which goes ahead of what is said", () => {
    const [answer] = after(output("One, two,"), breaksIn("One, two,", "One, two, three, four. "));
    expect(answer?.kind === "answer" && unheard(answer)).toBe(" three, four.");
    expect(said(after(output("Two."), breaksIn("Two.", "One.")))).toEqual(["bot: Two."]);
  });

  test("is as long as what was heard, when the words were late", () => {
    expect(said(after(output("One,"), breaksIn("One, two,")))).toEqual(["bot: One, two,"]);
  });

  test("may be one of which nothing was shown: the one before it stays whole", () => {
    const [answer] = after(output("One, two."), fallsSilent, responds, breaksIn(""));
    expect(answer).not.toHaveProperty("heard");
  });

  test("is over: what the bot says next is another", () => {
    const turns = after(output("One, two."), breaksIn("One,"), responds, output("Yes?"));
    expect(said(turns)).toEqual(["bot: One, two.", "bot: Yes?"]);
  });
});

describe("what the bot does", () => {
  test("is a line of its own, until it is done", () => {
    const starts: TurnEvent = { type: "tool-started", callId: "c1", name: "weather" };
    const ends: TurnEvent = { type: "tool-stopped", callId: "c1", state: "done" };
    expect(after(starts)).toMatchObject([{ kind: "tool", text: "weather", state: "running" }]);
    expect(after(starts, ends)).toMatchObject([{ state: "done" }]);
  });

  test("does not part the user's words", () => {
    const starts: TurnEvent = { type: "tool-started", callId: "c1", name: "weather" };
    const turns = after(speaks, heard("Is it"), starts, heard("raining?"));
    expect(said(turns)).toEqual(["user: Is it raining?", "bot: weather"]);
  });

  test("may be read of where it comes from", () => {
    const sources = [{ url: "https://example.org/", title: "Example" }];
    expect(after(output("Yes."), { type: "sources", sources })).toMatchObject([{ sources }]);
    expect(after({ type: "sources", sources })).toEqual([]);
  });
});

import { describe, expect, test } from "vitest";
import { isServerMessage, type ServerMessage } from "../src/protocol";
import { INITIAL, isInCall, reduce, type Event, type State } from "../src/state";
import { clock, costOf, leftAt, sessionNote, status } from "../src/sentences";
import { words } from "../src/words";

const after = (...events: Event[]): State => events.reduce(reduce, INITIAL);
const server = (message: ServerMessage): Event => ({ type: "server", message, at_ms: 0 });
const connecting: Event = { type: "connecting" };
const ready: Event = { type: "ready" };
const alerts = (state: State): string[] => state.alerts.map((alert) => alert.text);

describe("the line", () => {
  test("goes from idle over connecting to ready", () => {
    expect(status(INITIAL)).toBe("Not connected");
    expect(status(after(connecting))).toBe("Connecting…");
    expect(status(after(connecting, ready))).toBe("Ready");
  });

  test("says when it is reconnecting, and only during a call", () => {
    const lost: Event = { type: "reconnecting", value: true };
    expect(status(after(connecting, ready, lost))).toBe("Reconnecting…");
    expect(after(connecting, lost).line.phase).toBe("connecting");
  });

  test("says when the network is slow, and what that means for the video", () => {
    const slow: Event = { type: "network", state: "slow" };
    const camera: Event = { type: "devices", devices: { ...INITIAL.devices, cam: "on" } };
    expect(status(after(connecting, ready, slow))).toBe("The network is slow.");
    expect(status(after(connecting, ready, camera, slow))).toBe(
      "The network is slow: fewer frames.",
    );
    const good: Event = { type: "network", state: "good" };
    expect(status(after(connecting, ready, camera, slow, good))).toBe("Ready");
    expect(after(connecting, ready, slow, { type: "hung-up" }).network).toBe("good");
  });

  test("shows the server's sentence while the link to the model is not ready", () => {
    const link = (state: "connecting" | "ready") =>
      server({ type: "link", state, text: "Reaching the model" });
    expect(status(after(connecting, ready, link("connecting")))).toBe("Reaching the model.");
    expect(status(after(connecting, ready, link("connecting"), link("ready")))).toBe("Ready");
    const late = server({ type: "link", state: "ready", text: "No answer yet.", notice: true });
    expect(status(after(connecting, ready, link("ready"), late))).toBe("No answer yet.");
  });

  test("ends with the reason that the server gave", () => {
    const ended = server({ type: "ended", text: "The ten minutes are over." });
    const state = after(connecting, ready, ended, { type: "bot-left" });
    expect(status(state)).toBe("Ended: The ten minutes are over.");
    expect(alerts(state)).toEqual([]);
  });

  test("ends without a reason in plain words too", () => {
    expect(status(after(connecting, ready, { type: "bot-left" }))).toBe(`Ended: ${words.botLeft}`);
    expect(status(after(connecting, { type: "hung-up" }))).toBe(`Ended: ${words.youEnded}`);
  });

  test("fails with the link's sentence when the link had failed", () => {
    const failed = server({ type: "link", state: "failed", text: "The model refused the key." });
    const state = after(connecting, ready, failed, { type: "bot-left" });
    expect(status(state)).toBe("Failed");
    expect(alerts(state)).toEqual(["The model refused the key."]);
  });

  test("fails with an alert when it was lost", () => {
    const state = after(connecting, ready, { type: "line-lost" });
    expect(state.line).toEqual({ phase: "failed", reason: words.lineLost });
    expect(alerts(state)).toEqual([words.lineLost]);
    expect(isInCall(state)).toBe(false);
  });

  test("leaves no device on", () => {
    const on: Event = { type: "devices", devices: { mic: "on", cam: "on", screen: "starting" } };
    expect(after(connecting, ready, on, { type: "hung-up" }).devices).toEqual(INITIAL.devices);
  });

  test("starts a new conversation with nothing of the one before", () => {
    const state = after(
      { type: "typed", text: "hello" },
      { type: "failed", reason: "No." },
      connecting,
    );
    expect(state).toEqual({ ...INITIAL, line: { phase: "connecting" }, nextAlertId: 1 });
  });
});

describe("alerts", () => {
  const alert = (text: string): Event => ({ type: "alert", text });

  test("are dismissed one by one", () => {
    const state = after(alert("one"), alert("two"));
    expect(alerts(reduce(state, { type: "dismiss", id: state.alerts[0]!.id }))).toEqual(["two"]);
  });

  test("are said once, the newest last, and no more than three", () => {
    expect(alerts(after(alert("one"), alert("two"), alert("one")))).toEqual(["two", "one"]);
    expect(alerts(after(...["a", "b", "c", "d"].map(alert)))).toEqual(["b", "c", "d"]);
  });

  test("about a device go when it works after all", () => {
    const refused: Event = { type: "alert", text: "No microphone.", about: "mic" };
    const devices = (mic: "starting" | "on"): Event => ({
      type: "devices",
      devices: { mic, cam: "off", screen: "off" },
    });
    expect(alerts(after(refused, devices("starting")))).toEqual(["No microphone."]);
    expect(alerts(after(refused, devices("on")))).toEqual([]);
  });
});

describe("server messages", () => {
  test("name the session", () => {
    const session: ServerMessage = {
      type: "session",
      persona: "companion",
      title: "Companion",
      model: "gemini-3.8-live",
      offline: true,
      voice: "Charon",
      language: "en-US",
      answers: "voice",
      time_limit_s: 600,
    };
    const note = (changes: Partial<typeof session>) =>
      sessionNote(after(connecting, server({ ...session, ...changes })));
    expect(note({})).toBe("Companion · gemini-3.8-live · offline");
    expect(note({ offline: false })).toBe("Companion · gemini-3.8-live");
  });

  test("answer pictures", () => {
    const added: Event = { type: "picture-added", caption: "?", name: "a.png", url: "blob:1" };
    const answer = server({ type: "picture", state: "seen", name: "a.png", text: "Seen." });
    expect(after(added, answer).turns[0]).toMatchObject({ picture: { state: "seen" } });
  });

  test("warn before the end", () => {
    const text = "This conversation will end in 60 seconds.";
    const limit: ServerMessage = { type: "limit", limit: "time", left: 60, text };
    expect(isServerMessage(limit)).toBe(true);
    const warned = after(connecting, ready, server(limit));
    expect(alerts(warned)).toEqual([text]);
    expect(status(warned)).toBe("Ready");
    expect(alerts(reduce(warned, { type: "hung-up" }))).toEqual([]);
  });

  test("tell what is left, which the page's own clock then counts down", () => {
    const usage: ServerMessage = {
      type: "usage",
      elapsed_s: 10,
      left_s: 90,
      tokens: 1200,
      cost_usd: 0.0042,
    };
    const state = after(connecting, ready, { type: "server", message: usage, at_ms: 5_000 });
    expect(state.usage && leftAt(state.usage, 35_000)).toBe(60);
    expect(state.usage && costOf(state.usage)).toBe("$0.004");
    expect(costOf({ ...usage, cost_usd: null, at_ms: 0 })).toBeNull();
    expect(leftAt({ ...usage, left_s: null, at_ms: 0 }, 1)).toBeNull();
    expect([clock(59.2), clock(600), clock(3_725), clock(-1)]).toEqual([
      "1:00",
      "10:00",
      "1:02:05",
      "0:00",
    ]);
  });

  test("show what the model looks at, as long as it is shown", () => {
    const looking = (source: "camera" | "screenVideo") =>
      server({ type: "looking", source, width: 160, height: 90, jpeg: "" });
    const on: Event = { type: "devices", devices: { mic: "on", cam: "on", screen: "off" } };
    const off: Event = { type: "devices", devices: { mic: "on", cam: "off", screen: "off" } };
    const sources = (...events: Event[]) =>
      Object.keys(after(connecting, ready, ...events).looking);
    expect(sources(on, looking("camera"))).toEqual(["camera"]);
    expect(sources(on, looking("camera"), off)).toEqual([]);
    expect(sources(off, looking("camera"), looking("screenVideo"))).toEqual([]);
  });

  test("tell how far an answer was heard, of what the model has written of it", () => {
    const wrote = (text: string): Event => ({ type: "bot-wrote", text });
    const responds: Event = { type: "bot-started-response" };
    const said: Event = { type: "bot-output", text: "Two," };
    const breaksIn = server({ type: "interrupted", heard: "Two," });
    const events = [responds, wrote("One. "), responds, wrote("Two, "), wrote("three."), said];
    const [answer] = after(...events, breaksIn).turns;
    expect(answer).toMatchObject({ text: "Two, three.", heard: "Two," });
  });

  test("of an unknown kind are not taken for one", () => {
    expect(isServerMessage({ type: "link", state: "ready", text: "" })).toBe(true);
    for (const other of [{ type: "weather" }, { text: "x" }, "link", null, undefined]) {
      expect(isServerMessage(other)).toBe(false);
    }
  });
});

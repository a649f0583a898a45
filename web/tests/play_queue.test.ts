/** How the bot's speech waits for the speaker when it comes over WebSocket. */
import { expect, test } from "vitest";
import { PlayQueue } from "../src/ways/play_queue";

/** 1000 samples a second: a sample is a millisecond. */
const create = () => new PlayQueue(1_000);
const speech = (ms: number) => new Int16Array(ms).fill(16_384);

function played(queue: PlayQueue, ms: number): number[] {
  const output = new Float32Array(ms).fill(9);
  queue.pull(output);
  return [...output];
}

const silence = (ms: number) => new Array<number>(ms).fill(0);
const voice = (ms: number) => new Array<number>(ms).fill(0.5);

test("silence is played while there is nothing", () => {
  expect(played(create(), 10)).toEqual(silence(10));
});

test("a little is gathered before speech begins, so that it does not break off", () => {
  const queue = create();
  queue.push(speech(60));
  expect(played(queue, 20)).toEqual(silence(20));
  queue.push(speech(20));
  expect(played(queue, 20)).toEqual(voice(20));
});

test("a word that is shorter than that is heard as well", () => {
  const queue = create();
  queue.push(speech(20));
  for (let i = 0; i < 4; i++) expect(played(queue, 20)).toEqual(silence(20));
  expect(played(queue, 40)).toEqual([...voice(20), ...silence(20)]);
});

test("pieces are played one after another, whatever their size", () => {
  const queue = create();
  queue.push(new Int16Array(50).fill(16_384));
  queue.push(new Int16Array(50).fill(-16_384));
  expect(played(queue, 70)).toEqual([...voice(50), ...new Array<number>(20).fill(-0.5)]);
  expect(played(queue, 30)).toEqual(new Array<number>(30).fill(-0.5));
});

test("what ran dry gathers anew", () => {
  const queue = create();
  queue.push(speech(80));
  played(queue, 100);
  expect(played(queue, 20)).toEqual(silence(20));
  queue.push(speech(20));
  expect(played(queue, 20)).toEqual(silence(20));
});

test("an interruption silences at once, and what comes then is played from its beginning", () => {
  const queue = create();
  queue.push(speech(500));
  played(queue, 20);
  queue.drop();
  expect(played(queue, 20)).toEqual(silence(20));
  queue.push(new Int16Array(100).fill(-16_384));
  expect(played(queue, 20)).toEqual(new Array<number>(20).fill(-0.5));
});

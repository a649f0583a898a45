/** When a call leaves WebRTC for another way. */
import { expect, test } from "vitest";
import { ANSWERED_MS, CHECKING_MS, Fallback, type Sight } from "../src/ways/fallback";

const NEW: Sight = { ice: "new", isGathered: false, isAnswered: false };
const CHECKING: Sight = { ice: "checking", isGathered: true, isAnswered: true };

test("a server that takes its time to answer is no blocked line", () => {
  const fallback = new Fallback();
  expect(fallback.isBlocked(NEW, 0)).toBe(false);
  expect(fallback.isBlocked({ ...NEW, isGathered: true }, 10 * ANSWERED_MS)).toBe(false);
});

test("a connection that failed is given up at once", () => {
  const fallback = new Fallback();
  expect(fallback.isBlocked({ ...CHECKING, ice: "failed", isGathered: false }, 0)).toBe(true);
});

test("one that is still checked is given up when both sides have had their time", () => {
  const fallback = new Fallback();
  expect(fallback.isBlocked(CHECKING, 1_000)).toBe(false);
  expect(fallback.isBlocked(CHECKING, 1_000 + CHECKING_MS - 1)).toBe(false);
  expect(fallback.isBlocked(CHECKING, 1_000 + CHECKING_MS)).toBe(true);
});

test("a browser that has found no candidate at all stays new, and is given up too", () => {
  const fallback = new Fallback();
  const alone: Sight = { ice: "new", isGathered: true, isAnswered: true };
  expect(fallback.isBlocked(alone, 0)).toBe(false);
  expect(fallback.isBlocked(alone, CHECKING_MS)).toBe(true);
});

test("a relay that does not answer keeps nobody waiting for ever", () => {
  const fallback = new Fallback();
  const gathering: Sight = { ...CHECKING, isGathered: false };
  expect(fallback.isBlocked(gathering, 0)).toBe(false);
  expect(fallback.isBlocked(gathering, ANSWERED_MS - 1)).toBe(false);
  expect(fallback.isBlocked(gathering, ANSWERED_MS)).toBe(true);
});

test("a second connection of the transport does not start the time anew", () => {
  const fallback = new Fallback();
  fallback.isBlocked(CHECKING, 0);
  expect(fallback.isBlocked(NEW, CHECKING_MS)).toBe(true);
});

test.each(["connected", "completed"] as const)("what was %s once is not given up", (ice) => {
  const fallback = new Fallback();
  expect(fallback.isBlocked({ ...CHECKING, ice }, 0)).toBe(false);
  expect(fallback.isBlocked({ ...CHECKING, ice: "failed" }, 100 * ANSWERED_MS)).toBe(false);
});

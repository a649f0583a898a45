import { expect, test } from "vitest";
import { levelOf } from "../src/meter";

test("silence is 0 and a full-scale tone is 1", () => {
  expect(levelOf(new Float32Array(64))).toBe(0);
  expect(levelOf(new Float32Array(64).fill(1))).toBe(1);
  expect(levelOf(new Float32Array())).toBe(0);
});

test("speech lies in between", () => {
  expect(levelOf(new Float32Array(64).fill(0.1))).toBeCloseTo(0.4);
});

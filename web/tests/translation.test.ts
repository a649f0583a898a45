import { expect, test } from "vitest";
import { translate } from "../src/translation";

const TABLE = {
  "All lines are busy": "线路全忙",
  "Gemini does not answer.": "Gemini 没有回应。",
  "There are {count} calls (with {key}).": "{key} 已有 {count} 个通话。",
  "{refusal} The settings stay.": "{refusal}设置不变。",
};

test("a sentence is said in the other language, with what differs in its place", () => {
  expect(translate("All lines are busy", TABLE)).toBe("线路全忙");
  expect(translate("There are 3 calls (with this key).", TABLE)).toBe("this key 已有 3 个通话。");
});

test("a sentence within another one is translated too", () => {
  expect(translate("Gemini does not answer. The settings stay.", TABLE)).toBe(
    "Gemini 没有回应。设置不变。",
  );
});

test("what nobody has translated stays as it is", () => {
  for (const said of ["", "All lines are busy.", "toString", "There are 3 calls (with a key)!"])
    expect(translate(said, TABLE)).toBe(said);
});

import { expect, test } from "vitest";
import { refusal } from "../src/pictures";

const limits = { max_bytes: 20 * 1024 * 1024, types: ["image/jpeg", "image/png"] };
const file = (changes = {}) => ({ name: "a.png", type: "image/png", size: 1000, ...changes });

test("a picture within the limits is sent", () => {
  expect(refusal(file(), limits)).toBeNull();
  expect(refusal(file({ size: limits.max_bytes }), limits)).toBeNull();
});

test("what is no picture is refused, with the formats that would do", () => {
  expect(refusal(file({ name: "a.pdf", type: "application/pdf" }), limits)).toBe(
    "a.pdf is not a picture Salon can read: send JPEG or PNG.",
  );
  expect(refusal(file({ type: "" }), limits)).toContain("is not a picture");
});

test("a large picture is refused, with both sizes", () => {
  expect(refusal(file({ size: 31.25 * 1024 * 1024 }), limits)).toBe(
    "a.png is too large: 31.3 MB, and at most 20 MB can be sent.",
  );
});

test("an empty file is refused", () => {
  expect(refusal(file({ size: 0 }), limits)).toBe("a.png is empty.");
});

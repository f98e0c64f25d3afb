import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { utf16Offsets } = await source("editor/offsets.ts");

test("byte offsets become those of UTF-16 letter by letter", () => {
  const text = "aß€🙂z\n";
  const starts = [0, 1, 3, 6, 10, 11, 12];
  assert.deepEqual(utf16Offsets(text, starts), [0, 1, 2, 3, 5, 6, 7]);
  assert.equal(Buffer.byteLength(text), 12);
});

test("an offset inside of a letter is its start, one behind the end is the end", () => {
  assert.deepEqual(utf16Offsets("€x", [1, 2, 3, 99]), [0, 0, 1, 2]);
});

test("offsets may come in any order", () => {
  assert.deepEqual(utf16Offsets("äö", [4, 0, 2]), [2, 0, 1]);
});

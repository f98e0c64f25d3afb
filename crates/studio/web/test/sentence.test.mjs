import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { sentence } = await source("parts/sentence.ts");
const { said } = await source("parts/ticks.tsx");

test("a message becomes a sentence, unless it begins with a name that is written small", () => {
  assert.equal(sentence("there is no model of that name"), "There is no model of that name");
  assert.equal(sentence("it's away, so nothing was read"), "It's away, so nothing was read");
  assert.equal(sentence("non-finite values"), "Non-finite values");
  for (const kept of ["config.json is missing", "https://example.org: refused", "`slrp` is no method", "merge_method is missing", "./a/b cannot be read", "base_model", "maxTokens is too large", ""]) {
    assert.equal(sentence(kept), kept);
  }
});

test("what stands between backticks is code", () => {
  const parts = said("expected `slerp` here");
  assert.equal(parts[0], "Expected ");
  assert.deepEqual([parts[1].type, parts[1].props.children], ["code", "slerp"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { whiskerStart, isVague } = await source("charts/scores.tsx");
const score = (value, error) => ({ model: "a", metric: "perplexity", value, error, count: 12, unit: "" });

test("a whisker begins at nothing at the lowest, and an error above the value is called out", () => {
  assert.equal(whiskerStart(score(12, 2)), 10);
  assert.equal(whiskerStart(score(12, 40)), 0);
  assert.equal(whiskerStart(score(12, null)), 12);
  assert.deepEqual([score(12, 2), score(12, 40), score(12, null)].map(isVague), [false, true, false]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { runs, putRun, fetchRuns, later, canResume } = await source("stores/runs.ts");
const run = (id, version, state) => ({ id, version, state });
const states = () => Object.fromEntries([...runs.get().byId].map(([id, one]) => [id, one.state]));
const answering = (page, meanwhile = () => {}) => {
  globalThis.fetch = async () => { meanwhile(); return new Response(JSON.stringify(page)); };
};

test("what is told later stays, whichever arrives first", () => {
  assert.equal(putRun(run(1, 12, "done")), true);
  assert.equal(putRun(run(1, 11, "queued")), false);
  assert.deepEqual(states(), { 1: "done" });
  assert.equal(putRun(run(1, 13, "running")), true);
  assert.deepEqual(states(), { 1: "running" });
  assert.equal(later(null, run(1, 1, "done")).state, "done");
  assert.equal(later(null, null), null);
});

test("a list that was asked for before an event undoes nothing of it", async () => {
  answering({ runs: [run(2, 20, "queued"), run(1, 21, "running")], more: false }, () => {
    putRun(run(2, 30, "done"));
    putRun(run(3, 31, "queued"));
  });
  await fetchRuns();
  assert.deepEqual(states(), { 1: "running", 2: "done", 3: "queued" });
});

test("what a list does not have any more is forgotten", async () => {
  answering({ runs: [run(3, 40, "done")], more: false });
  await fetchRuns();
  assert.deepEqual(states(), { 3: "done" });
});

test("a failed evaluation is not resumed, other runs that stopped are", () => {
  const all = [["merge", "failed"], ["merge", "interrupted"], ["evaluate", "failed"], ["evaluate", "interrupted"], ["merge", "done"]];
  assert.deepEqual(all.map(([kind, state]) => canResume({ kind, state })), [true, true, false, true, false]);
});

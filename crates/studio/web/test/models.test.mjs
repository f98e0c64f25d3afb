import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { models, fetchModels, patchModel } = await source("stores/models.ts");
const list = (state) => ({ models: [{ name: "a", state }], folders: [] });
const state = () => models.get().list?.models[0]?.state;

test("a list that was made before an event does not take it back", async () => {
  globalThis.fetch = async () => { patchModel("a", { state: "warm" }); return new Response(JSON.stringify(list("cold"))); };
  await fetchModels();
  assert.equal(state(), "warm");
  globalThis.fetch = async () => new Response(JSON.stringify(list("cold")));
  await fetchModels();
  assert.equal(state(), "cold");
});

test("of two questions the later one's answer counts", async () => {
  const answers = [];
  globalThis.fetch = () => new Promise((resolve) => answers.push(resolve));
  const both = [fetchModels(), fetchModels()];
  answers[1](new Response(JSON.stringify(list("loading"))));
  await both[1];
  answers[0](new Response(JSON.stringify(list("failed"))));
  await both[0];
  assert.equal(state(), "loading");
});

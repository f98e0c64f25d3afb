import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { ask, clearAnswers, conversations, conversationWith, forgetConversation, isBusy } = await source("stores/chats.ts");
globalThis.document = { hidden: true };
globalThis.window = globalThis;
const tick = () => new Promise((resolve) => setTimeout(resolve, 10));
const thread = (model, of = model) => conversationWith(model)(conversations.get()).threads[of]?.map((turn) => [turn.prompt, turn.answer, turn.state]) ?? [];
let bodies = [];
const answering = (content) => {
  globalThis.fetch = async (_, { body }) => {
    bodies.push(JSON.parse(body));
    return new Response(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\ndata: [DONE]\n\n`);
  };
};

test("each model has a conversation of its own, which goes on where it was", async () => {
  answering("one");
  ask("a", ["a", "b"], "first?", {});
  assert.ok(isBusy(conversationWith("a")(conversations.get())));
  await tick();
  assert.deepEqual(thread("a"), [["first?", "one", "done"]]);
  assert.deepEqual(thread("a", "b"), [["first?", "one", "done"]]);
  assert.deepEqual(thread("b"), []);
  bodies = [];
  answering("two");
  ask("a", ["a"], "second?", {});
  await tick();
  assert.deepEqual(bodies[0].messages.map((message) => message.content), ["first?", "one", "second?"]);
  assert.deepEqual(thread("a").map(([, answer]) => answer), ["one", "two"]);
});

test("what was cleared or forgotten is not written to by a late answer", async () => {
  for (const away of [clearAnswers, forgetConversation]) {
    let give;
    globalThis.fetch = () => new Promise((resolve) => { give = resolve; });
    ask("c", ["c"], "slow?", {});
    away("c");
    give(new Response("data: [DONE]\n\n"));
    await tick();
    assert.deepEqual(thread("c"), []);
  }
});

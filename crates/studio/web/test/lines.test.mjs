import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { differingLines } = await source("runs/lines.ts");
const { streamEvents } = await source("api/lines.ts");

test("a changed line is one taken away and one added", () => {
  assert.deepEqual(differingLines("a\nb\nc\n", "a\nx\nc\n").map((line) => line.kind[0] + line.text), ["sa", "lb", "rx", "sc"]);
});

test("the same texts differ nowhere", () => {
  assert.ok(differingLines("a\nb", "a\nb\n").every((line) => line.kind === "same"));
});

const streamOf = (pieces) => new ReadableStream({ start(control) { for (const piece of pieces) control.enqueue(new TextEncoder().encode(piece)); control.close(); } });
const all = async (pieces) => { const events = []; for await (const event of streamEvents(streamOf(pieces))) events.push(event); return events; };

test("events are read wherever the stream is cut", async () => {
  const text = ": hello\n\nid: 7\nevent: run\ndata: {\"a\":\ndata: 1}\n\ndata: plain\r\n\r\n";
  const expected = [{ id: "7", event: "run", data: '{"a":\n1}' }, { id: "7", event: "message", data: "plain" }];
  assert.deepEqual(await all([text]), expected);
  assert.deepEqual(await all([...text]), expected);
});

test("a letter of several bytes may be cut too", async () => {
  const bytes = new TextEncoder().encode("data: ü🙂\n\n");
  const stream = new ReadableStream({ start(control) { for (const byte of bytes) control.enqueue(new Uint8Array([byte])); control.close(); } });
  const events = [];
  for await (const event of streamEvents(stream)) events.push(event.data);
  assert.deepEqual(events, ["ü🙂"]);
});

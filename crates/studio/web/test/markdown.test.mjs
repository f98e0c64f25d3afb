import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { blocksOf, inlines } = await source("chat/markdown.ts");
const paragraph = (...inside) => ({ kind: "paragraph", inside });
const strong = (...inside) => ({ kind: "strong", inside });
const emphasis = (...inside) => ({ kind: "emphasis", inside });
const code = (text) => ({ kind: "code", text });

test("paragraphs are what blank lines part; a line's end within one stays", () => {
  assert.deepEqual(blocksOf("one\ntwo\n\n\nthree\r\n"), [paragraph("one\ntwo"), paragraph("three")]);
  assert.deepEqual(blocksOf(""), []);
});

test("bold, italic and code within each other", () => {
  assert.deepEqual(inlines("a **b *c* d** `e**f**`!"), ["a ", strong("b ", emphasis("c"), " d"), " ", code("e**f**"), "!"]);
  assert.deepEqual(inlines("__a__ and _b_"), [strong("a"), " and ", emphasis("b")]);
  assert.deepEqual(inlines("***both***"), [strong(emphasis("both"))]);
  assert.deepEqual(inlines("``a ` b``"), [code("a ` b")]);
});

test("marks that open nothing are letters", () => {
  for (const text of ["2 * 3 * 4", "snake_case_name", "**open", "a * b", "`open", "* ", "**", "_", "5 ** 2 ** 3"]) assert.deepEqual(inlines(text).join(""), text, text);
  assert.deepEqual(inlines("\\*not\\* this"), ["*not* this"]);
});

test("HTML and links stay text", () => {
  const text = "<script>alert(1)</script> <img src=x onerror=alert(1)> [link](javascript:alert(1)) ![p](http://example.org/p.png)";
  assert.deepEqual(blocksOf(text), [paragraph(text)]);
});

test("lists, with lists and paragraphs inside", () => {
  assert.deepEqual(blocksOf("Three:\n- a\n- **b**\n  more\n  - deep\n- c\n\nafter"), [
    paragraph("Three:"),
    { kind: "list", first: null, items: [[paragraph("a")], [paragraph(strong("b"), "\nmore"), { kind: "list", first: null, items: [[paragraph("deep")]] }], [paragraph("c")]] },
    paragraph("after"),
  ]);
  assert.deepEqual(blocksOf("3. c\n\n4. d"), [{ kind: "list", first: 3, items: [[paragraph("c")], [paragraph("d")]] }]);
  assert.deepEqual(blocksOf("1. a\n\n   b\n2. c"), [{ kind: "list", first: 1, items: [[paragraph("a"), paragraph("b")], [paragraph("c")]] }]);
});

test("no list where none is meant", () => {
  assert.deepEqual(blocksOf("It was in\n1945. Then peace."), [paragraph("It was in\n1945. Then peace.")]);
  assert.deepEqual(blocksOf("-5 is less"), [paragraph("-5 is less")]);
  assert.deepEqual(blocksOf("10\n+ 48"), [paragraph("10\n+ 48")]);
  assert.deepEqual(blocksOf("1.4"), [paragraph("1.4")]);
});

test("code between fences is taken as it is, also before it is closed", () => {
  assert.deepEqual(blocksOf("```Python\n# no *heading*\n\n- x\n```\nafter"), [{ kind: "code", language: "python", text: "# no *heading*\n\n- x" }, paragraph("after")]);
  assert.deepEqual(blocksOf("~~~\na\n```"), [{ kind: "code", language: "", text: "a\n```" }]);
});

test("headings are told from hashes", () => {
  assert.deepEqual(blocksOf("## A *title* ##\n#tag"), [{ kind: "heading", inside: ["A ", emphasis("title")] }, paragraph("#tag")]);
});

test("every beginning of an answer can be shown, and long ones soon", () => {
  const answer = "# T\n\n1. a **b** `c`\n   - d _e_\n\n```sh\nx\n```\n***both***\n";
  for (let end = 0; end <= answer.length; end += 1) assert.ok(Array.isArray(blocksOf(answer.slice(0, end))));
  for (const piece of ["**a ", "*a", "_a ", "`", "``a` ", "- ", "  - ", "1. ", "* a\n\n", "- a\n", "> ", "\\*", "***", "a* *b "]) {
    const begin = performance.now();
    blocksOf(piece.repeat(100_000 / piece.length));
    const took = performance.now() - begin;
    assert.ok(took < 1500, `${JSON.stringify(piece)} took ${took.toFixed(0)} ms`);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { recipeOf, formOf, shapeOf, firstPair } = await source("new/start.ts");
const { rulerOf, inReadingOrder, groupLabel } = await source("charts/layers.ts");
const format = await source("format.ts");

test("the form's V is a SLERP whose first model is the base", () => {
  const recipe = recipeOf({ first: "instruct", second: "base", method: "slerp", points: [0, 0.25, 0.5, 0.25, 0] });
  assert.match(recipe, /base_model: instruct\n/);
  assert.match(recipe, /t: \[0, 0.25, 0.5, 0.25, 0\]\n/);
});

test("the weights of an average add up to one", () => {
  const recipe = recipeOf({ first: "a", second: "b", method: "linear", points: [0, 0.3, 1] });
  assert.match(recipe, /model: a\n {4}parameters:\n {6}weight: \[1, 0.7, 0\]/);
  assert.match(recipe, /model: b\n {4}parameters:\n {6}weight: \[0, 0.3, 1\]/);
});

test("names that YAML would take for something else are quoted", () => {
  for (const name of ["no", "1.5", "a: b", "#x", "- y", "null"]) assert.ok(recipeOf({ first: name, second: "b", method: "slerp", points: [1] }).includes(`model: ${JSON.stringify(name)}`), name);
  assert.ok(recipeOf({ first: "Qwen/Qwen2.5-0.5B", second: "b", method: "slerp", points: [1] }).includes("model: Qwen/Qwen2.5-0.5B\n"));
});

test("shapes of curves are recognised", () => {
  assert.equal(shapeOf([0.5]), "constant");
  assert.equal(shapeOf([0, 0.5, 1]), "linear");
  assert.equal(shapeOf([0, 0.25, 0.5, 0.25, 0]), "v");
  assert.equal(shapeOf([1, 0, 1]), "v");
  assert.equal(shapeOf([0, 1, 0.2, 0.9]), null);
});

test("the first pair is of one shape, the tuned model first", () => {
  const model = (name, parameters, more = {}) => ({ name, parameters, model_type: "qwen2", state: "cold", origin: "folder", ...more });
  assert.deepEqual(firstPair([model("small", 1), model("base", 2), model("base-instruct", 2)]), ["base-instruct", "base"]);
  assert.deepEqual(firstPair([model("broken", 2, { state: "broken" }), model("base", 2), model("x-chat", 2)]), ["x-chat", "base"]);
});

test("the ruler names its first and last layer, and no two names touch", () => {
  for (const [width, layers] of [[390, 24], [390, 80], [900, 36], [1440, 126], [600, 1], [600, 2]]) {
    const ruler = rulerOf(width, layers);
    assert.equal(ruler.ticks[0], 0);
    assert.equal(ruler.ticks.at(-1), layers - 1);
    for (let at = 1; at < ruler.ticks.length; at += 1) assert.ok((ruler.ticks[at] - ruler.ticks[at - 1]) * ruler.column >= 20 || ruler.ticks.length === 2, `${width} px, ${layers} layers`);
    assert.ok(ruler.x(layers) <= width + 0.01);
  }
});

test("tensor kinds stand in the order in which a layer uses them", () => {
  const kinds = ["mlp.down_proj.weight", "input_layernorm.weight", "self_attn.q_proj.weight", "post_attention_layernorm.weight"];
  assert.deepEqual(inReadingOrder(kinds), [1, 2, 3, 0]);
  assert.equal(groupLabel({ name: "mlp.*", kinds: ["mlp.a", "mlp.b"] }, 2), "mlp");
});

test("sizes, times and shares are short", () => {
  assert.equal(format.bytes(5141928), "5.14 MB");
  assert.equal(format.bytes(999_600), "1.00 MB");
  assert.equal(format.bytes(12), "12 B");
  assert.equal(format.duration(0.0204), "20 ms");
  assert.equal(format.duration(59.97), "1 min 00 s");
  assert.equal(format.duration(3725), "1 h 02 min");
  assert.equal(format.context(131072), "128k");
  assert.equal(format.percent(0.775, 1), "77.5%");
});

test("what the form wrote, it reads again; anything else it leaves alone", () => {
  for (const form of [
    { first: "instruct", second: "base", method: "slerp", points: [0, 0.25, 0.5, 0.25, 0] },
    { first: "no", second: "Qwen/Qwen2.5-0.5B", method: "linear", points: [0.3] },
    { first: "a", second: "b", method: "nuslerp", points: [0, 0.125, 1] },
  ]) assert.deepEqual(formOf(recipeOf(form)), form);
  const recipe = recipeOf({ first: "a", second: "b", method: "slerp", points: [0, 1] });
  assert.equal(formOf(recipe + "# a comment\n"), null);
  assert.equal(formOf(recipe.replace("slerp", "ties")), null);
  assert.equal(formOf(""), null);
});

// From a recipe to a model that is talked with: what a first-time user does, in that order.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openPage, startStudio, until, writeRecipe, askApi } from "./studio.mjs";

let studio, browser, page;
const name = `weightsmith-slerp-e2e${Math.random().toString(36).slice(2, 8)}`;

before(async () => {
  studio = await startStudio();
  browser = await openBrowser();
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
  await studio?.clean?.();
});

const problems = () => page.locator(".problems-summary").innerText();
const settled = (text) => page.locator(".problems-summary", { hasText: text }).waitFor();

test("the form writes the V, and the plan and the curves follow", async () => {
  await page.goto(studio.url);
  await page.getByRole("link", { name: "New merge" }).first().click();
  await page.locator(".cm-content").waitFor();
  await page.getByLabel("First model").selectOption("instruct");
  await page.getByLabel("Second model").selectOption("base");
  await settled("No problems");
  const text = await page.locator(".cm-content").innerText();
  for (const piece of ["merge_method: slerp", "base_model: instruct", "t: [0, 0.25, 0.5, 0.25, 0]"]) assert.ok(text.includes(piece), text);
  const plan = await page.locator(".plan").innerText();
  for (const piece of ["2,567,040", "74", "BF16"]) assert.ok(plan.includes(piece), `${piece} in ${plan}`);
  assert.ok(await page.locator(".plan svg polyline").count());
});

test("arrow keys move a point of the curve and the recipe with it", async () => {
  const middle = page.getByRole("slider", { name: /50% of the depth/ });
  await middle.focus();
  await page.keyboard.press("ArrowUp");
  await until(async () => (await middle.getAttribute("aria-valuenow")) === "0.55", "the point at 0.55", 5);
  await page.locator(".cm-content", { hasText: "t: [0, 0.25, 0.55, 0.25, 0]" }).waitFor();
  await page.keyboard.press("Shift+ArrowDown");
  await page.locator(".cm-content", { hasText: "t: [0, 0.25, 0.54, 0.25, 0]" }).waitFor();
});

test("a point is dragged with the pointer", async () => {
  const first = page.getByRole("slider", { name: /first layer/ });
  const box = await first.locator("circle").first().boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y - 20, { steps: 5 });
  await page.mouse.up();
  await until(async () => Number(await first.getAttribute("aria-valuenow")) > 0.1, "the point further up", 5);
});

const recipe = "# Zwölf “Zeichen” für die Bytes 🙂\nmodels:\n  - model: base\n  - model: instruct\nmerge_method: slerp\nbase_model: instruct\ndtype: bfloat16\nparameters:\n  t: [0, 0.25, 0.5, 0.25, 0]\n";

test("a mistake is underlined where it is, behind letters of several bytes, and its fix clears it", async () => {
  await writeRecipe(page, recipe.replace("merge_method: slerp", "merge_method: slrp"));
  await settled("error");
  await page.locator(".cm-lintRange-error").first().waitFor();
  assert.equal(await page.locator(".cm-lintRange-error").first().innerText(), "slrp");
  const listed = page.locator(".problems li", { hasText: "slrp" });
  assert.match(await listed.innerText(), /slerp/);
  await page.getByRole("button", { name: "Merge", exact: true }).and(page.locator(":disabled")).waitFor();
  await listed.getByRole("button").click();
  await until(() => page.evaluate(() => document.activeElement.classList.contains("cm-content")), "the focus in the editor", 5);
  await page.keyboard.press("Control+Delete");
  await page.keyboard.type("slerp");
  await page.keyboard.press("Escape");
  await settled("No problems");
  assert.equal(await page.locator(".cm-lintRange-error").count(), 0);
});

test("a recipe with many mistakes shows them all", async () => {
  await writeRecipe(page, "models:\n  - model: bse\n  - model: instrct\nmerge_method: slrp\nbase_model: instruct\ndtyp: bfloat16\nparameters:\n  t: [0, \"x\", 0.5]\n");
  const expected = (await askApi(studio.url, "POST", "/api/check", { recipe: "models:\n  - model: bse\n  - model: instrct\nmerge_method: slrp\nbase_model: instruct\ndtyp: bfloat16\nparameters:\n  t: [0, \"x\", 0.5]\n" })).body.diagnostics.length;
  assert.ok(expected >= 4, `${expected} problems`);
  await until(async () => (await page.locator(".problems li").count()) === expected, `${expected} problems in the list`, 10);
});

test("methods, models and parameters complete", async () => {
  await writeRecipe(page, "merge_method: ");
  await page.keyboard.type("sle");
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "slerp" }).first().waitFor();
  await page.keyboard.press("Escape");
  await writeRecipe(page, "base_model: ");
  await page.keyboard.type("instr");
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "instruct" }).first().waitFor();
  await page.keyboard.press("Escape");
  await writeRecipe(page, "merge_method: slerp\nparameters:\n  ");
  await page.keyboard.press("Control+Space");
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "t" }).first().waitFor();
  await page.keyboard.press("Escape");
});

test("the merge is talked with before it is written", async () => {
  await writeRecipe(page, recipe);
  await settled("No problems");
  await page.getByRole("button", { name: "Talk to it" }).click();
  await page.getByRole("textbox", { name: "Message" }).fill("Who are you?");
  await page.keyboard.press("Enter");
  await page.locator(".turn-done .answer").first().waitFor({ timeout: 60_000 });
  assert.ok((await page.locator(".turn-done .answer").first().innerText()).length > 1);
  const models = (await askApi(studio.url, "GET", "/api/models")).body.models;
  assert.ok(!models.some((model) => model.name === name));
});

test("it is merged under the name that was written, and its progress is shown", async () => {
  const field = page.getByLabel("Name of the result");
  assert.match(await field.inputValue(), /^weightsmith-slerp-[a-z]{7}$/);
  await field.fill(name);
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await page.getByRole("link", { name: "Open the model" }).waitFor({ timeout: 60_000 });
  await page.getByRole("link", { name: "Open the model" }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  assert.match(await page.locator(".model-head").innerText(), /slerp merge of/);
});

test("it answers beside a parent, on the same prompt", async () => {
  await page.getByRole("checkbox", { name: "base" }).check();
  await page.getByRole("textbox", { name: "Message" }).fill("Who are you?");
  await page.keyboard.press("Enter");
  await until(async () => (await page.locator(".turn-done").count()) === 2, "two answers", 60);
  for (const measured of await page.locator(".measured").allInnerTexts()) assert.match(measured, /\d+ tokens?.*first token \d/);
});

test("the merge's curve, its words and its distance to a parent are shown", async () => {
  await page.getByRole("tab", { name: "Merge" }).click();
  await page.getByText("come from").first().waitFor();
  await page.getByRole("img", { name: /^t over the layers/ }).waitFor();
  await page.locator(".difference", { hasText: "to base" }).getByRole("button", { name: "Compute" }).click();
  await page.getByRole("img", { name: /relative norm of the difference to base/ }).waitFor({ timeout: 60_000 });
  await page.locator(".heat rect").nth(8).hover();
  assert.match(await page.locator(".readout").first().innerText(), /cosine 0\.\d+|cosine 1/);
  // the same by keyboard
  await page.mouse.move(0, 0);
  const map = page.getByRole("img", { name: /relative norm of the difference to base/ });
  await map.focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
  const reached = page.locator(".readout").first();
  await page.keyboard.press("End");
  await until(async () => /^layer 5 · /.test(await reached.innerText()), "the last layer in the readout", 5);
  await page.keyboard.press("Home");
  await until(async () => /^layer 0 · /.test(await reached.innerText()), "the first layer in the readout", 5);
});

test("it is evaluated from its page", async () => {
  await page.getByRole("tab", { name: "Evaluations" }).click();
  await page.getByRole("button", { name: "Evaluate", exact: true }).click();
  await page.getByRole("textbox", { name: "Text" }).fill("Once there was a little fox who lived near the river. ".repeat(8));
  await page.locator("form.sheet").getByRole("button", { name: "Evaluate" }).click();
  await page.getByRole("img", { name: /perplexity/ }).first().waitFor({ timeout: 60_000 });
});

test("its run is in the history and can be put into the editor again", async () => {
  await page.getByRole("link", { name: "Runs" }).click();
  await page.getByRole("link", { name: new RegExp(`${name}$`) }).last().waitFor();
  await page.getByRole("row", { name: /Merge / }).filter({ hasText: name }).getByRole("link").first().click();
  await page.getByRole("link", { name: "Duplicate into the editor" }).click();
  await page.locator(".cm-content", { hasText: "merge_method: slerp" }).waitFor();
  assert.equal(await problems() !== undefined, true);
});

test("the browser complained of nothing", () => { assert.deepEqual(page.complaints, []); });

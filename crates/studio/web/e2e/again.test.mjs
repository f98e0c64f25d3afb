// What somebody does the second time: merge again, come back to a tab, try again what failed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { scratch, silentModel } from "./folders.mjs";
import { given, openBrowser, openPage, root, startStudio, until, writeRecipe } from "./studio.mjs";

let studio, browser, extra;
before(async () => {
  extra = await scratch();
  if (!given) await silentModel(extra.folder);
  studio = await startStudio({ folders: [join(root, "fixtures", "tiny-qwen2"), extra.folder] });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await studio?.stop();
  await studio?.clean?.();
  await extra?.clean();
});

const slerp = (t) => `models:\n  - model: base\n  - model: instruct\nmerge_method: slerp\nbase_model: instruct\ndtype: bfloat16\nparameters:\n  t: ${t}\n`;
const mergeButton = (page) => page.getByRole("button", { name: "Merge", exact: true });
const open = async (page) => {
  await page.goto(`${studio.url}/new`);
  await page.locator(".problems-summary", { hasText: "No problems" }).waitFor({ timeout: 30_000 });
};
const merge = async (page) => {
  const field = page.getByLabel("Name of the result");
  await field.fill(`again-${Math.random().toString(36).slice(2, 8)}`);
  await mergeButton(page).click();
  await page.locator(".merge-bar").getByRole("link", { name: "Open the model" }).waitFor({ timeout: 90_000 });
  assert.equal(await mergeButton(page).count(), 0);
};
const roomForAnother = async (page) => {
  await mergeButton(page).waitFor();
  await until(async () => /^weightsmith-slerp-[a-z]{7}$/.test(await page.getByLabel("Name of the result").inputValue()), "a new name", 10);
  assert.equal(await page.locator(".merge-bar .state").count(), 0);
};

test("after a merge, the navigation, an edit and a reload make room for another one", async () => {
  const page = await openPage(browser);
  await open(page);
  await merge(page);
  await page.locator(".masthead").getByRole("link", { name: "New merge" }).click();
  await roomForAnother(page);
  await merge(page);
  await writeRecipe(page, slerp("0.3"));
  await roomForAnother(page);
  await merge(page);
  await page.locator(".masthead").getByRole("link", { name: "Models", exact: true }).click();
  await page.locator(".masthead").getByRole("link", { name: "New merge" }).click();
  await roomForAnother(page);
  await merge(page);
  await page.reload();
  await roomForAnother(page);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("the merge bar covers neither problems nor the preview", async () => {
  const page = await openPage(browser);
  await open(page);
  const bar = page.locator(".merge-bar");
  const uncovered = async (what) => {
    await what.scrollIntoViewIfNeeded();
    assert.ok(await what.evaluate((element) => { const box = element.getBoundingClientRect(); const top = document.elementFromPoint(box.left + box.width / 2, box.bottom - 2); return element === top || element.contains(top); }), String(what));
  };
  // While it follows, what takes the focus is scrolled out from behind it.
  assert.equal(await bar.evaluate((element) => getComputedStyle(element).position), "sticky");
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole("button", { name: "Talk to it" }).focus();
  await uncovered(page.getByRole("button", { name: "Talk to it" }));
  await writeRecipe(page, "models:\n  - model: bse\n  - model: instrct\nmerge_method: slrp\nbase_model: instruct\ndtyp: bfloat16\n");
  await page.locator(".problems li").nth(2).waitFor();
  assert.equal(await bar.evaluate((element) => getComputedStyle(element).position), "static");
  // Beside the recipe, in the plan's place: all of them are in view without scrolling.
  await page.evaluate(() => scrollTo(0, 0));
  assert.ok(await page.locator(".problems li").evaluateAll((items) => items.length > 2 && items.every((item) => item.getBoundingClientRect().bottom <= innerHeight)));
  for (const item of await page.locator(".problems li").all()) await uncovered(item);
  await writeRecipe(page, slerp("0.5"));
  await page.locator(".problems-summary", { hasText: "No problems" }).waitFor();
  await page.getByRole("button", { name: "Talk to it" }).click();
  await uncovered(page.getByRole("textbox", { name: "Message" }));
  assert.equal(await bar.evaluate((element) => getComputedStyle(element).position), "static");
  await page.context().close();
});

test("a conversation is there again after a look at another tab", async () => {
  const page = await openPage(browser);
  await page.goto(`${studio.url}/models/base`);
  await page.getByRole("textbox", { name: "Message" }).fill("Who are you?");
  await page.keyboard.press("Enter");
  await page.locator(".turn-done .answer").waitFor({ timeout: 60_000 });
  const said = await page.locator(".turn").innerText();
  await page.getByRole("textbox", { name: "Message" }).fill("not sent yet");
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("tab", { name: "Preview" }).click();
  assert.equal(await page.locator(".turn").innerText(), said);
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "not sent yet");
  await page.locator(".masthead").getByRole("link", { name: "Models", exact: true }).click();
  await page.getByRole("link", { name: "instruct", exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name: "instruct" }).waitFor();
  assert.equal(await page.locator(".turn").count(), 0);
  await page.context().close();
});

test("an evaluation that fails keeps its form and says why beside it", async () => {
  const page = await openPage(browser);
  await page.goto(`${studio.url}/models/base?tab=evaluations`);
  await page.getByRole("button", { name: "Evaluate", exact: true }).click();
  await page.getByText("Question accuracy", { exact: true }).click();
  const text = page.getByRole("textbox", { name: "Questions" });
  await text.fill("this is no JSON");
  const form = page.locator("form.sheet");
  await form.getByRole("button", { name: "Evaluate" }).click();
  await form.getByRole("alert").waitFor({ timeout: 60_000 });
  assert.ok((await form.getByRole("alert").innerText()).length > 10);
  assert.equal(await text.inputValue(), "this is no JSON");
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("tab", { name: "Evaluations" }).click();
  assert.equal(await text.inputValue(), "this is no JSON");
  await text.fill('{"question": "What is 1 + 1?", "answer": "2"}');
  await form.getByRole("button", { name: "Evaluate" }).click();
  await form.waitFor({ state: "detached", timeout: 60_000 });
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a model without a tokenizer says so instead of offering chat", { skip: given ? "needs models of its own" : false }, async () => {
  const page = await openPage(browser);
  await page.goto(studio.url);
  const row = page.getByRole("row", { name: /^silent\b/ });
  const mark = row.locator(".state-silent");
  assert.equal(await mark.innerText(), "merge only");
  assert.match(await mark.getAttribute("title"), /tokenizer/);
  await row.getByRole("link", { name: "silent" }).first().click();
  await page.getByText("Chat isn’t available for this model.").waitFor();
  assert.match(await page.locator(".panel").innerText(), /tokenizer/);
  assert.equal(await page.getByRole("textbox", { name: "Message" }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Load" }).count(), 0);
  await page.context().close();
});

test("points beyond the chart are drawn at its edge", async () => {
  const page = await openPage(browser);
  await open(page);
  await writeRecipe(page, "models:\n  - model: instruct\n  - model: base\nmerge_method: slerp\nbase_model: instruct\ndtype: bfloat16\nparameters:\n  t: [0, 1.5, -2]\n");
  await page.getByText("2 points are beyond 0–1").waitFor();
  const inside = await page.locator(".drawing svg").evaluate((svg) => [...svg.querySelectorAll(".knob-dot")].every((dot) => Number(dot.getAttribute("cy")) >= 0 && Number(dot.getAttribute("cy")) <= svg.height.baseVal.value));
  assert.ok(inside);
  await page.context().close();
});

test("lines that are typed over leave no inline styles behind", async () => {
  const page = await openPage(browser);
  await open(page);
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("# one");
  await page.keyboard.press("Enter");
  await page.keyboard.type("foo: bar");
  await page.locator(".cm-content").fill(slerp("0.4"));
  await page.locator(".problems-summary", { hasText: "No problems" }).waitFor();
  assert.match(await page.locator(".cm-content").innerText(), /^models:\n {2}- model: base\n[^]*t: 0\.4/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a run is removed only after a question", async () => {
  const page = await openPage(browser);
  await page.goto(`${studio.url}/runs?kind=evaluate&state=failed`);
  await page.locator("table.runs th a").first().click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Resume" }).count(), 0);
  assert.ok(await page.getByRole("button", { name: "Run again" }).evaluate((button) => button.classList.contains("primary")));
  await page.getByRole("button", { name: "Remove from the history" }).click();
  await page.getByRole("button", { name: "Keep" }).click();
  await page.getByRole("button", { name: "Remove from the history" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await until(() => new URL(page.url()).pathname === "/runs", "the history", 10);
  await page.context().close();
});

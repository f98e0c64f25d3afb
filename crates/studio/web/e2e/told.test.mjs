// What the server tells out of order, late or with tricks: the page shows what is true of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openPage, startStudio, until } from "./studio.mjs";

let studio, browser;
before(async () => {
  studio = await startStudio();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await studio?.stop();
  await studio?.clean?.();
});

const newMerge = async (page) => {
  await page.goto(`${studio.url}/new`);
  await page.locator(".problems-summary", { hasText: "No problems" }).waitFor({ timeout: 30_000 });
};

test("a merge that ends before the answer to its start arrives is shown as ended", async () => {
  const page = await openPage(browser);
  await newMerge(page);
  let isHeld = false;
  await page.route("**/api/runs", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    const answer = await route.fetch();
    const { id, state } = await answer.json();
    assert.notEqual(state, "done");
    await until(async () => (await (await fetch(`${studio.url}/api/runs/${id}`)).json()).state === "done", "the end of the merge", 60);
    await new Promise((resolve) => setTimeout(resolve, 500));
    isHeld = true;
    await route.fulfill({ response: answer });
  });
  await page.getByLabel("Name of the result").fill(`overtaken-${Math.random().toString(36).slice(2, 8)}`);
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  const bar = page.locator(".merge-bar");
  await bar.getByRole("link", { name: "Open the model" }).waitFor({ timeout: 90_000 });
  assert.ok(isHeld);
  assert.equal(await bar.locator(".state-done").count(), 1);
  // Where the button was, in view, and that is where the keyboard goes on.
  assert.ok(await bar.evaluate((element) => { const box = element.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight + 1 && element.contains(document.activeElement); }));
  await page.context().close();
});

test("models that the Hub is asked about are named, and the recipe is checked again", async () => {
  const page = await openPage(browser);
  let checks = 0;
  await page.route("**/api/check", async (route) => {
    checks += 1;
    if (checks > 2) return route.continue();
    await route.fulfill({ json: { diagnostics: [], plan: null, explanation: null, pending: ["org/far-away"] } });
  });
  await page.goto(`${studio.url}/new`);
  await page.locator(".problems-summary", { hasText: "Looking up on the Hub: org/far-away" }).waitFor();
  assert.ok(await page.getByRole("button", { name: "Merge", exact: true }).isDisabled());
  await page.locator(".problems-summary", { hasText: "No problems" }).waitFor({ timeout: 20_000 });
  await page.locator(".plan").waitFor();
  await page.context().close();
});

test("what happens before the page hears of anything is not missed", async () => {
  const page = await openPage(browser);
  await page.route("**/api/events", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  await page.goto(studio.url);
  const row = page.getByRole("row", { name: /^math\b/ });
  await row.locator(".state-cold").waitFor();
  await fetch(`${studio.url}/api/models/math/load`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  await row.locator(".state-warm").waitFor({ timeout: 30_000 });
  await page.context().close();
});

test("an answer's Markdown is set, its HTML is not", async () => {
  const page = await openPage(browser);
  const answer = "It is **bold** and `code`:\n\n1. one\n2. <img src=x onerror=\"window.ran = true\">\n\n[a link](javascript:window.ran=true) <script>window.ran = true</script>\n\n```python\nprint(\"<b>hi</b>\")\n```\n";
  await page.route("**/v1/chat/completions", (route) => {
    const pieces = answer.match(/.{1,7}/gs).map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: null }] })}\n\n`);
    return route.fulfill({ contentType: "text/event-stream", body: `${pieces.join("")}data: [DONE]\n\n` });
  });
  await page.goto(`${studio.url}/models/base`);
  await page.getByRole("textbox", { name: "Message" }).fill("Show me");
  await page.keyboard.press("Enter");
  const shown = page.locator(".turn-done .answer");
  await shown.waitFor();
  assert.equal(await shown.locator("strong").innerText(), "bold");
  assert.deepEqual(await shown.locator("ol li").allInnerTexts(), ["one", "<img src=x onerror=\"window.ran = true\">"]);
  assert.equal(await shown.locator("pre").innerText(), "print(\"<b>hi</b>\")");
  assert.ok((await shown.innerText()).includes("[a link](javascript:window.ran=true) <script>window.ran = true</script>"));
  assert.equal(await shown.locator("img, script, a, b").count(), 0);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

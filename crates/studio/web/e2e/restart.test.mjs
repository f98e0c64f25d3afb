// What survives: a server that is killed in the middle of a merge, a page whose server is away, two tabs that want the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { largeModel, scratch } from "./folders.mjs";
import { askApi, given, openBrowser, openPage, root, startStudio, until } from "./studio.mjs";

let studio, browser, extra, folders;
const recipe = (first, second) => `models:\n  - model: ${first}\n    parameters:\n      weight: 0.5\n  - model: ${second}\n    parameters:\n      weight: 0.5\nmerge_method: linear\ndtype: bfloat16\n`;
const start = (name, text = recipe("large-a", "large-b")) => askApi(studio.url, "POST", "/api/runs", { kind: "merge", recipe: text, name, options: {} });
const run = async (id) => (await askApi(studio.url, "GET", `/api/runs/${id}`)).body;

before(async () => {
  extra = await scratch();
  if (!given) {
    await largeModel(extra.folder, "large-a");
    await largeModel(extra.folder, "large-b");
  }
  folders = [join(root, "fixtures", "tiny-qwen2"), extra.folder];
  studio = await startStudio({ folders });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await studio?.stop();
  await studio?.clean?.();
  await extra?.clean();
});

test("a merge whose server is killed is shown as interrupted and resumed", { skip: given ? "needs a server of its own" : false, timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  const started = await start("survivor");
  assert.equal(started.status, 201, JSON.stringify(started.body));
  const id = started.body.id;
  await page.goto(`${studio.url}/runs/${id}`);
  await until(async () => { const now = await run(id); assert.notEqual(now.state, "done", "the merge was too fast to be interrupted"); return now.state === "running" && now.done > 0; }, "bytes of the merge", 60);
  await page.getByRole("progressbar").waitFor();
  await studio.kill();
  await page.getByText("Can’t reach the server").waitFor();
  studio = await startStudio({ data: studio.data, folders, port: Number(new URL(studio.url).port) });
  await page.getByText("Can’t reach the server").waitFor({ state: "detached", timeout: 30_000 });
  await page.locator(".state-interrupted").first().waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.locator("main .state-done").first().waitFor({ timeout: 120_000 });
  const ended = await run(id);
  assert.equal(ended.state, "done");
  await page.getByRole("link", { name: "Open the model" }).click();
  await page.getByRole("heading", { level: 1, name: "survivor" }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a running merge is cancelled from the page", { skip: given ? "needs models that take a while" : false, timeout: 90_000 }, async () => {
  const page = await openPage(browser);
  const { id } = (await start("unwanted")).body;
  await page.goto(`${studio.url}/runs/${id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator("main .state-cancelled").first().waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await page.context().close();
});

test("two tabs that want the same name: one gets it, both tell the truth", { timeout: 90_000 }, async () => {
  const name = `wanted-${Math.random().toString(36).slice(2, 8)}`;
  const context = await browser.newContext();
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) {
    await tab.goto(`${studio.url}/new`);
    await tab.locator(".problems-summary", { hasText: "No problems" }).waitFor({ timeout: 20_000 });
    await tab.getByLabel("Name of the result").fill(name);
  }
  await Promise.all(tabs.map((tab) => tab.getByRole("button", { name: "Merge", exact: true }).click()));
  const outcome = async (tab) => {
    if (await tab.locator(".merge-bar").getByRole("link", { name: "Open the model" }).count()) return "made";
    if (await tab.locator(".merge-problem p").count()) return "taken";
    if (await tab.locator(".merge-bar .state-failed").count()) return "failed";
    return null;
  };
  const ends = await Promise.all(tabs.map((tab) => until(() => outcome(tab), "an outcome in each tab", 60)));
  assert.equal(ends.filter((end) => end === "made").length, 1, ends.join(", "));
  const models = (await askApi(studio.url, "GET", "/api/models")).body.models;
  assert.equal(models.filter((model) => model.name === name).length, 1);
  // What one tab did, the other sees without being asked.
  await tabs[1].goto(studio.url);
  await tabs[1].getByRole("link", { name, exact: true }).waitFor();
  await context.close();
});

test("a model loaded in one tab is warm in the other", async () => {
  const context = await browser.newContext();
  const [one, other] = [await context.newPage(), await context.newPage()];
  await one.goto(`${studio.url}/models/math`);
  await other.goto(studio.url);
  await other.getByRole("row", { name: /^math\b/ }).waitFor();
  if (await one.getByRole("button", { name: "Unload" }).count()) await one.getByRole("button", { name: "Unload" }).click();
  await one.getByRole("button", { name: "Load", exact: true }).click();
  await other.getByRole("row", { name: /^math\b/ }).locator(".state-warm").waitFor({ timeout: 30_000 });
  await context.close();
});

test("with a key, the page asks for it, once", { skip: given ? "needs a server of its own" : false }, async () => {
  const locked = await startStudio({ args: ["--api-key", "open-sesame"] });
  try {
    const page = await openPage(browser);
    await page.goto(locked.url);
    await page.getByLabel("Key").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Wrong key").waitFor();
    await page.getByLabel("Key").fill("open-sesame");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("row", { name: /^base\b/ }).waitFor();
    await page.reload();
    await page.getByRole("row", { name: /^base\b/ }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Key").waitFor();
    await page.context().close();
  } finally {
    await locked.stop();
    await locked.clean();
  }
});

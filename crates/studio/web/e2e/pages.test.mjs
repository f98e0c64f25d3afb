// Every page: the right facts, no serious accessibility problem, reachable by keyboard, nothing wider than the window.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { attackingModel, brokenModel, scratch } from "./folders.mjs";
import { askApi, given, openBrowser, openPage, root, startStudio, until } from "./studio.mjs";

let studio, browser, extra;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

before(async () => {
  extra = await scratch();
  await attackingModel(extra.folder);
  await brokenModel(extra.folder);
  studio = await startStudio({ folders: [join(root, "fixtures", "tiny-qwen2"), extra.folder] });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await studio?.stop();
  await studio?.clean?.();
  await extra?.clean();
});

const visit = async (path, options) => {
  const page = await openPage(browser, options);
  await page.goto(studio.url + path);
  await page.locator("main h1").first().waitFor();
  return page;
};
const done = async (page) => {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
};

test("the models page lists the fixtures with their facts", async () => {
  const page = await visit("/");
  for (const name of ["base", "instruct", "math"]) {
    const row = page.getByRole("row", { name: new RegExp(`^${name}\\b`) });
    await row.waitFor();
    const text = await row.innerText();
    for (const fact of ["Qwen2", "2.6M", "BF16", "128k", /cold|loading|warm/]) assert.match(text, new RegExp(fact), `${name}: ${fact} in ${text}`);
  }
  await done(page);
});

test("search and filters narrow the list and stay in the address", async () => {
  const page = await visit("/");
  await page.getByRole("searchbox", { name: "Search models" }).fill("instruct qwen2");
  await page.getByRole("row", { name: /^math\b/ }).waitFor({ state: "detached" });
  assert.ok(await page.getByRole("row", { name: /^instruct\b/ }).isVisible());
  assert.match(page.url(), /q=instruct/);
  await page.reload();
  await page.getByRole("row", { name: /^instruct\b/ }).waitFor();
  assert.equal(await page.getByRole("row", { name: /^math\b/ }).count(), 0);
  await page.getByRole("searchbox", { name: "Search models" }).fill("no such thing");
  await page.getByText("No models match.").waitFor();
  await done(page);
});

test("a broken folder is listed with its error and breaks nothing", async () => {
  const page = await visit("/");
  const row = page.getByRole("row", { name: /^half-copied/ });
  await row.waitFor();
  assert.match(await row.innerText(), /broken/);
  assert.ok((await row.locator(".why").innerText()).length > 20);
  await row.getByRole("link").first().click();
  await page.getByRole("alert").waitFor();
  assert.ok(await page.locator(".model-head").innerText().then((text) => text.includes("broken")));
  await done(page);
});

test("a model's page has its facts and tabs that the keyboard moves through", async () => {
  const page = await visit("/");
  await page.getByRole("link", { name: "base", exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name: "base" }).waitFor();
  const facts = await page.locator(".model-head dl").innerText();
  for (const fact of ["Text generation", "2.6M", "BF16", "131,072", "Qwen2", "1 unit"]) assert.ok(facts.includes(fact), `${fact} in ${facts}`);
  const tab = (name) => page.getByRole("tab", { name });
  await tab("Preview").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await tab("Overview").getAttribute("aria-selected"), "true");
  assert.match(page.url(), /tab=overview/);
  await page.keyboard.press("End");
  assert.equal(await tab("Use it").getAttribute("aria-selected"), "true");
  await page.getByRole("tabpanel").getByText("curl").first().waitFor();
  await page.keyboard.press("Home");
  assert.equal(await tab("Preview").getAttribute("aria-selected"), "true");
  await tab("Files").click();
  await page.getByText("model.safetensors", { exact: true }).first().waitFor();
  await page.getByText("model.embed_tokens.weight").first().waitFor();
  await done(page);
});

test("script in a card does not run", { skip: given ? "needs a folder of its own" : false }, async () => {
  const page = await openPage(browser);
  await page.goto(`${studio.url}/models/attacker?tab=overview`);
  await page.getByText("The text after it.").waitFor();
  for (const link of await page.locator(".card a").all()) await link.click({ timeout: 1000, noWaitAfter: true }).catch(() => {});
  await page.waitForTimeout(400);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  assert.equal(await page.locator(".card script, .card iframe, .card form, .card [style], .card [onerror], .card [onload]").count(), 0);
  await page.context().close();
});

const addresses = async () => {
  const runs = (await askApi(studio.url, "GET", "/api/runs")).body.runs;
  const made = (await askApi(studio.url, "GET", "/api/models")).body.models.find((model) => model.method === "slerp")?.name;
  const model = `/models/${encodeURIComponent(made)}`;
  return ["/", "/new", "/runs", `/runs/${runs.find((run) => run.kind === "merge").id}`, "/login", "/nothing/here", "/models/none", "/models/half-copied",
    model, ...["overview", "merge", "files", "evaluations", "use"].map((tab) => `${model}?tab=${tab}`), "/models/base?tab=merge"];
};

test("axe finds nothing serious on any page, in both themes", { timeout: 240_000 }, async () => {
  await mergeOne();
  for (const colorScheme of ["light", "dark"]) {
    for (const path of await addresses()) {
      const page = await visit(path, { colorScheme });
      await page.waitForTimeout(path === "/new" ? 1200 : 500);
      await page.evaluate(axe);
      const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const serious = found.violations.filter((one) => one.impact === "serious" || one.impact === "critical");
      assert.deepEqual(serious.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} ${node.any[0]?.message ?? ""}`).join(" | ")}`), [], `${path}, ${colorScheme}`);
      await done(page);
    }
  }
});

test("no page is wider than a phone", { timeout: 120_000 }, async () => {
  await mergeOne();
  for (const path of await addresses()) {
    const page = await visit(path, { viewport: { width: 390, height: 844 } });
    await page.waitForTimeout(400);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), path);
    await done(page);
  }
});

test("the keyboard reaches everything and is kept nowhere", async () => {
  for (const path of ["/", "/new", "/models/base"]) {
    const page = await visit(path);
    await page.waitForTimeout(900);
    const reached = new Set();
    let left = false;
    for (let press = 0; press < 120 && !left; press += 1) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        element.dataset.walk ??= String(Math.random());
        const style = getComputedStyle(element), inner = element.querySelector("circle, span"), innerStyle = inner ? getComputedStyle(inner) : style;
        const around = element.closest(".editor, .composer, label, .handle");
        return { id: element.dataset.walk, seen: style.outlineStyle !== "none" || innerStyle.stroke !== "none" || !!around, what: element.outerHTML.slice(0, 100) };
      });
      if (!here || reached.has(here.id)) { left = true; break; }
      reached.add(here.id);
      assert.ok(here.seen, `the focus cannot be seen on ${here.what}`);
    }
    assert.ok(left, `${path} keeps the keyboard`);
    const missed = await page.evaluate(() => [...document.querySelectorAll("a[href], button:not(:disabled), input:not([type=radio]), select, textarea, [role=slider], [tabindex='0']")]
      .filter((element) => element.checkVisibility() && (element.tabIndex >= 0 || element.role === "slider") && !element.dataset.walk).map((element) => element.outerHTML.slice(0, 100)));
    assert.deepEqual(missed, [], path);
    await done(page);
  }
});

test("the theme is remembered", async () => {
  const page = await visit("/");
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole("button", { name: /^Theme: auto/i }).click();
  await page.getByRole("button", { name: /^Theme: light/i }).click();
  assert.notEqual(await paper(), light);
  await page.reload();
  await page.getByRole("button", { name: /^Theme: dark/i }).waitFor();
  assert.notEqual(await paper(), light);
  await done(page);
});

/** A merged model for the pages that show one. */
async function mergeOne() {
  const models = (await askApi(studio.url, "GET", "/api/models")).body.models;
  if (models.some((model) => model.method === "slerp")) return;
  const recipe = "models:\n  - model: base\n  - model: instruct\nmerge_method: slerp\nbase_model: instruct\ndtype: bfloat16\nparameters:\n  t: [0, 0.25, 0.5, 0.25, 0]\n";
  const started = await askApi(studio.url, "POST", "/api/runs", { kind: "merge", recipe, name: "for-the-pages", options: {} });
  assert.equal(started.status, 201, JSON.stringify(started.body));
  await until(async () => (await askApi(studio.url, "GET", `/api/runs/${started.body.id}`)).body.state === "done", "the merge for the pages", 60);
  await until(async () => (await askApi(studio.url, "GET", "/api/models")).body.models.some((model) => model.method === "slerp"), "the merged model in the list");
}

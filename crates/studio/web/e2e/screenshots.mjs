// Every page at three widths in both themes, for a person to look at: node e2e/screenshots.mjs FOLDER [part of a name]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { askApi, openBrowser, openPage, startStudio, until, writeRecipe } from "./studio.mjs";

const [folder, only = ""] = process.argv.slice(2);
if (!folder) throw new Error("usage: node e2e/screenshots.mjs FOLDER [part of a name]");
await mkdir(folder, { recursive: true });
const studio = await startStudio();
const made = await prepare();
const model = `/models/${encodeURIComponent(made.model)}`;
const wrong = "models:\n  - model: bse\n  - model: instruct\nmerge_method: slrp\nbase_model: instruct\ndtyp: bfloat16\nparameters:\n  t: [0, \"x\", 0.5]\n";

const pages = [
  ["models", "/"], ["models-filtered", "/?q=instruct"], ["models-none", "/?q=zzz"],
  ["pull", "/", async (page) => { await page.getByRole("button", { name: "Pull from the Hub" }).click(); await page.getByRole("dialog").getByRole("searchbox").fill("qwen"); await page.waitForTimeout(900); }],
  ["model-preview", model, chat], ["model-beside", model, beside],
  ["model-overview", `${model}?tab=overview`], ["model-merge", `${model}?tab=merge`], ["model-files", `${model}?tab=files`],
  ["model-evaluations", `${model}?tab=evaluations`], ["model-use", `${model}?tab=use`],
  ["publish", model, (page) => page.getByRole("button", { name: "Publish" }).click()],
  ["model-parent", "/models/base?tab=overview"], ["model-missing", "/models/nothing"],
  ["new", "/new", settled], ["new-mistakes", "/new", mistakes], ["new-examples", "/new", async (page) => { await page.getByRole("button", { name: "Examples" }).click(); await settled(page); }],
  ["runs", "/runs"], ["run", `/runs/${made.run}`], ["compare", `/runs?compare=${made.pair}`], ["login", "/login"], ["nowhere", "/nothing/here"],
  ...(made.broken ? [["model-broken", `/models/${encodeURIComponent(made.broken)}`]] : []),
  ...(made.deep ? [["model-deep", `/models/${encodeURIComponent(made.deep)}?tab=merge`]] : []),
  ...(made.live ? [["run-live", `/runs/${made.live}`]] : []),
].filter(([name]) => name.includes(only));

async function settled(page) {
  await page.locator(".cm-content, .editor textarea").first().waitFor();
  await page.waitForTimeout(900);
}
async function mistakes(page) {
  await settled(page);
  await writeRecipe(page, wrong);
  await page.waitForTimeout(1200);
}
async function chat(page) {
  await page.getByRole("textbox", { name: "Message" }).fill("Who is Ada, and where does she live?");
  await page.keyboard.press("Enter");
  await page.locator(".turn-done").first().waitFor({ timeout: 30_000 });
}
async function beside(page) {
  for (const box of await page.locator(".beside input").all()) await box.check();
  await chat(page);
  await page.waitForTimeout(2500);
}

/** A merged, measured and compared model, where the server has none yet. */
async function prepare() {
  const list = (await askApi(studio.url, "GET", "/api/models")).body.models;
  const runs = () => askApi(studio.url, "GET", "/api/runs").then((answer) => answer.body.runs);
  let found = list.find((one) => one.origin === "made" && one.method === "slerp");
  if (!found) {
    const recipe = (t) => `models:\n  - model: base\n  - model: instruct\nmerge_method: slerp\nbase_model: instruct\ndtype: bfloat16\nparameters:\n  t: ${t}\n`;
    const start = async (request) => {
      const answer = await askApi(studio.url, "POST", "/api/runs", request);
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
      return until(async () => { const run = (await askApi(studio.url, "GET", `/api/runs/${answer.body.id}`)).body; return run.ended && run; }, request.kind, 120);
    };
    await start({ kind: "merge", recipe: recipe("[0, 0.25, 0.5, 0.25, 0]"), name: "weightsmith-slerp-example" });
    await start({ kind: "merge", recipe: recipe("[0, 0.5, 1, 0.5, 0]"), name: "weightsmith-slerp-fullvee" });
    await start({ kind: "difference", model: "weightsmith-slerp-example", against: "base" });
    const questions = [["Who lives in Oslo?", "Ada"], ["What is 2 + 2?", "4"]].map(([question, answer]) => JSON.stringify({ question, answer })).join("\n");
    await start({ kind: "evaluate", model: "weightsmith-slerp-example", against: ["base", "instruct"], data: { kind: "tasks", name: "two questions", text: questions } });
    await start({ kind: "evaluate", model: "weightsmith-slerp-example", against: ["base", "instruct"], data: { kind: "perplexity", name: "a story", text: "Once there was a little fox who lived near the river. ".repeat(20) } });
    found = { name: "weightsmith-slerp-example" };
  }
  const merges = (await runs()).filter((run) => run.kind === "merge");
  const done = merges.filter((run) => run.state === "done").map((run) => run.id);
  return {
    model: found.name, run: done[0], pair: done.slice(0, 2).reverse().join(","), broken: list.find((one) => one.state === "broken")?.name,
    deep: list.find((one) => one.method && one.parameters > 1e8)?.name,
    live: merges.find((run) => run.state === "running")?.id,
  };
}

const browser = await openBrowser();
const widths = (process.env.WIDTHS ?? "1440,900,390").split(",").map(Number), themes = (process.env.THEMES ?? "light,dark").split(",");
for (const width of widths) {
  for (const colorScheme of themes) {
    const height = width === 390 ? 844 : 900;
    const page = await openPage(browser, { viewport: { width, height }, colorScheme });
    for (const [name, path, act] of pages) {
      await page.goto(studio.url + path);
      await page.locator("main h1").first().waitFor();
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(350);
      try { await act?.(page); } catch (problem) { console.error(`${name} at ${width}: ${problem.message.split("\n")[0]}`); }
      // The window is made as tall as the page, so that what sticks to its edges lies where the page ends.
      const tall = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(tall, height) });
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
      await page.setViewportSize({ width, height });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) console.error(`${name} at ${width}: ${wide} px too wide`);
      if (page.complaints.length) console.error(`${name} at ${width}:`, page.complaints.splice(0));
      await page.evaluate(() => sessionStorage.clear());
    }
    await page.context().close();
  }
}
await browser.close();
await studio.stop();

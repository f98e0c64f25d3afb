// The pictures of the README, made from the fixtures: node e2e/readme-pictures.mjs [FOLDER], docs/images unless told.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { askApi, openBrowser, openPage, root, startStudio, until, writeRecipe } from "./studio.mjs";

const folder = process.argv[2] ?? join(root, "docs", "images");
const mostBytes = 150_000;
const recipe = "models:\n  - model: base\n  - model: instruct\nmerge_method: slerp\nbase_model: instruct\ndtype: bfloat16\nparameters:\n  t: [0, 0.25, 0.5, 0.25, 0]\n";
const name = "weightsmith-slerp-example";

await mkdir(folder, { recursive: true });
const studio = await startStudio();
const browser = await openBrowser();

async function start(request) {
  const { status, body } = await askApi(studio.url, "POST", "/api/runs", request);
  if (status !== 201) throw new Error(JSON.stringify(body));
  await until(async () => (await askApi(studio.url, "GET", `/api/runs/${body.id}`)).body.state === "done", request.kind, 120);
}
async function picture(file, height, prepare) {
  const page = await openPage(browser, { viewport: { width: 1240, height }, colorScheme: "light" });
  await prepare(page);
  await page.evaluate(() => document.fonts.ready);
  await page.mouse.move(0, 0);
  await page.waitForTimeout(600);
  const path = join(folder, file);
  await page.screenshot({ path });
  const { size } = await stat(path);
  console.log(file, size);
  if (size > mostBytes) throw new Error(`${file} has ${size} bytes, more than ${mostBytes}`);
  await page.context().close();
}

try {
  await start({ kind: "merge", recipe, name, options: {} });
  for (const against of ["instruct", "base"]) await start({ kind: "difference", model: name, against });
  await picture("studio-model.png", 1000, async (page) => {
    await page.goto(`${studio.url}/models/${name}?tab=merge`);
    await page.locator(".heat").nth(1).waitFor();
  });
  await picture("studio-recipe.png", 1000, async (page) => {
    await page.goto(`${studio.url}/new`);
    await page.locator(".cm-content").waitFor();
    await writeRecipe(page, recipe.replace("dtype: bfloat16", "dtyp: bfloat16"));
    await page.locator(".cm-lintRange-warning").waitFor();
    await page.locator(".plan svg").first().waitFor();
    await page.getByLabel("Name of the result").fill("weightsmith-slerp-example");
    await page.getByLabel("Name of the result").blur();
  });
} finally {
  await browser.close();
  await studio.stop();
  await studio.clean?.();
}

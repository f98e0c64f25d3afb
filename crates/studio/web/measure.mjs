// What the first view costs: bytes sent (gzip) and the time until it can be used, on loopback. node measure.mjs
// WEIGHTSMITH_URL or WEIGHTSMITH as for the tests.
import { openBrowser, openPage, startStudio } from "./e2e/studio.mjs";

const mostBytes = 400 * 1000, mostTime = 300, times = 5;
const studio = await startStudio();
const browser = await openBrowser();
let failed = false;
for (const path of ["/", "/new", "/runs"]) {
  const usable = [], painted = [];
  let bytes = 0, files = [];
  for (let turn = 0; turn < times; turn += 1) {
    const page = await openPage(browser);
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    const sent = new Map();
    session.on("Network.responseReceived", ({ requestId, response }) => sent.set(requestId, { url: response.url, bytes: 0 }));
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => { if (sent.has(requestId)) sent.get(requestId).bytes = encodedDataLength; });
    // Usable: the heading and the first row, field or empty state stand there and the main thread has answered once more.
    await page.addInitScript(() => {
      const look = () => {
        if (document.querySelector("main h1") && document.querySelector("main table tbody tr, main .empty, main .form select")) requestAnimationFrame(() => setTimeout(() => { globalThis.usableAt = performance.now(); }));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto(studio.url + path);
    await page.waitForFunction(() => globalThis.usableAt);
    usable.push(await page.evaluate(() => globalThis.usableAt));
    painted.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN));
    await page.waitForTimeout(300);
    files = [...sent.values()].filter((file) => !file.url.includes("/api/events"));
    bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    await page.context().close();
  }
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(`${path.padEnd(6)} ${(bytes / 1000).toFixed(0)} kB sent in ${files.length} answers, first paint ${middle(painted).toFixed(0)} ms, usable after ${middle(usable).toFixed(0)} ms (median of ${times})`);
  if (process.env.DETAILS) for (const file of files) console.log(`       ${String(file.bytes).padStart(8)} ${new URL(file.url).pathname}`);
  if (path === "/" && (bytes > mostBytes || middle(usable) > mostTime)) failed = true;
}
await browser.close();
await studio.stop();
if (failed) { console.error(`the first view should take at most ${mostBytes / 1000} kB and ${mostTime} ms`); process.exit(1); }

// A server to look at: WEIGHTSMITH_URL where one runs already, else the binary WEIGHTSMITH with the fixtures' models.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");
export const given = process.env.WEIGHTSMITH_URL ?? null;
const binary = process.env.WEIGHTSMITH ?? join(root, "target", "debug", "weightsmith");

/** Starts a server on a port of its own; `data` and `folders` can be handed on to a second one. */
export async function startStudio({ data, folders = [join(root, "fixtures", "tiny-qwen2")], port = 0, args = [] } = {}) {
  if (given) return { url: given, data: null, stop: async () => {}, kill: async () => {} };
  const own = data ?? (await mkdtemp(join(tmpdir(), "weightsmith-e2e-")));
  const child = spawn(binary, ["serve", "--port", String(port), "--data-dir", own, ...folders.flatMap((folder) => ["--folder", folder]), ...args],
    { cwd: root, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HF_HOME: join(own, "hf"), HF_HUB_OFFLINE: "1" } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let said = "";
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server does not listen after 20 s:\n${said}`)), 20_000);
    child.stderr.on("data", (text) => {
      said += text;
      const found = /listening on (http:\/\/[^\s]+)/.exec(said);
      if (found) { clearTimeout(timer); resolve(found[1].replace(/\/$/, "")); }
    });
    child.once("error", (cause) => { clearTimeout(timer); reject(new Error(`${binary} cannot be started: ${cause.message}`)); });
    child.once("exit", (code) => { clearTimeout(timer); reject(new Error(`the server ended with ${code}:\n${said}`)); });
  });
  const end = (signal) => async () => { child.kill(signal); await ended; };
  return {
    url, data: own, said: () => said, kill: end("SIGKILL"), stop: end("SIGTERM"),
    clean: () => rm(own, { recursive: true, force: true }),
  };
}

export function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--headless=new", "--disable-gpu"] });
}

/** A page that remembers what the browser complained of: broken rules of the Content-Security-Policy, exceptions. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    if (/Failed to load resource/.test(message.text())) return;
    page.complaints.push(message.text());
  });
  page.setDefaultTimeout(10_000);
  return page;
}

export async function askApi(url, method, path, body) {
  const answer = await fetch(url + path, { method, headers: body === undefined ? {} : { "content-type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}

/** Waits until `look` gives something. */
export async function until(look, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Puts a text into the editor as a paste does. (Chromium's own way of inserting lines styles them, which the page's policy forbids.) */
export async function writeRecipe(page, text) {
  const content = page.locator(".cm-content");
  await content.click();
  await page.keyboard.press("Control+A");
  await content.evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

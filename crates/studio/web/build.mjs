// Bundles the page into ../assets: fixed names, no source maps, the same bytes from the same sources.
// With --check, nothing is written: it fails where ../assets is not what the sources give.
import { build } from "esbuild";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, "..", "assets");
const checking = process.argv.includes("--check");
const out = checking ? await mkdtemp(join(tmpdir(), "weightsmith-assets-")) : assets;
const fonts = [
  ["@fontsource-variable/stix-two-text", "stix-two-text-latin-wght-normal.woff2", "serif.woff2"],
  ["@fontsource-variable/stix-two-text", "stix-two-text-latin-wght-italic.woff2", "serif-italic.woff2"],
  ["@fontsource-variable/instrument-sans", "instrument-sans-latin-wght-normal.woff2", "sans.woff2"],
  ["@fontsource/ibm-plex-mono", "ibm-plex-mono-latin-400-normal.woff2", "mono.woff2"],
];

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const common = {
  absWorkingDir: here, bundle: true, minify: true, legalComments: "none", charset: "utf8",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"], logLevel: "warning",
};
await build({
  ...common, entryPoints: ["src/main.tsx"], outfile: join(out, "app.js"), format: "iife",
  jsx: "automatic", jsxImportSource: "preact", external: ["/assets/*"],
});
await build({ ...common, entryPoints: ["src/editor/editor.ts"], outfile: join(out, "editor.js"), format: "esm" });
await build({ ...common, entryPoints: ["src/styles/main.css"], outfile: join(out, "app.css"), external: ["/assets/*"] });
await copyFile(join(here, "src", "index.html"), join(out, "index.html"));
await copyFile(join(here, "src", "icon.svg"), join(out, "icon.svg"));
for (const [name, from, to] of fonts) await copyFile(join(here, "node_modules", name, "files", from), join(out, to));
const notices = [];
for (const [title, name] of [
  ["STIX Two Text (serif.woff2, serif-italic.woff2)", "@fontsource-variable/stix-two-text"],
  ["Instrument Sans (sans.woff2)", "@fontsource-variable/instrument-sans"],
  ["IBM Plex Mono (mono.woff2)", "@fontsource/ibm-plex-mono"],
  ["Preact (in app.js)", "preact"],
  ["CodeMirror (in editor.js)", "@codemirror/view"],
  ["Lezer (in editor.js)", "@lezer/common"],
]) {
  const text = await readFile(join(here, "node_modules", name, "LICENSE"), "utf8");
  notices.push(`${title}\n${"=".repeat(title.length)}\n\n${text.trim()}\n`);
}
await writeFile(join(out, "LICENSES.txt"), notices.join("\n\n"));

if (checking) {
  const names = [...new Set([...(await readdir(out)), ...(await readdir(assets).catch(() => []))])].sort();
  const content = (folder, name) => readFile(join(folder, name)).catch(() => Buffer.from("missing"));
  const stale = [];
  for (const name of names) if (!(await content(out, name)).equals(await content(assets, name))) stale.push(name);
  await rm(out, { recursive: true });
  if (stale.length) {
    console.error(`not what the sources give: ${stale.join(", ")}; run \`npm run build\` in crates/studio/web and commit crates/studio/assets`);
    process.exit(1);
  }
  process.exit(0);
}
for (const name of (await readdir(out)).sort()) {
  const bytes = await readFile(join(out, name));
  const sent = name.endsWith(".woff2") ? bytes.length : gzipSync(bytes).length;
  console.log(name.padEnd(20), String(bytes.length).padStart(8), String(sent).padStart(8));
}

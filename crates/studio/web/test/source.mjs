// A module of the page's sources, for tests in Node.
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");

export async function source(path) {
  const { outputFiles } = await build({
    absWorkingDir: web, entryPoints: [`src/${path}`], bundle: true, write: false, format: "esm", target: "es2022", jsx: "automatic", jsxImportSource: "preact", logLevel: "error",
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

import { listen } from "../api/events";
import { fetchModels, models, patchModel } from "./models";
import { addLog, fetchRuns, made, putRun, runs } from "./runs";
import { connection, fetchSystem } from "./system";
import { draft } from "./draft";
import { say } from "./toasts";
import { createStore } from "./store";
import { modelUrl } from "../router";
import type { Run } from "../api/types";

/** Counts what must be fetched again by parts that hold a model's details. */
export const modelsChanged = createStore(0);

const verbs = { done: "is done", failed: "failed", cancelled: "was canceled", interrupted: "was interrupted" } as const;

/** The page that is open says by itself how the run ended. */
function isOnScreen(run: Run): boolean {
  const { pathname, search } = location;
  if (pathname === `/runs/${run.id}`) return true;
  if (pathname === "/new") return draft.get().run === run.id;
  return run.kind === "evaluate" && run.model !== null && pathname === modelUrl(run.model) && new URLSearchParams(search).get("tab") === "evaluations";
}

function announce(run: Run, before: Run | undefined): void {
  if (!before || before.state === run.state || !(run.state in verbs)) return;
  const verb = verbs[run.state as keyof typeof verbs];
  const model = made(run)?.name;
  if (isOnScreen(run)) return;
  say(`${run.title} ${verb}`, {
    tone: run.state === "failed" ? "bad" : "plain", detail: run.error?.message,
    link: model ? { href: modelUrl(model), text: "Open the model" } : { href: `/runs/${run.id}`, text: "Open the run" },
  });
}

const all = () => { void fetchModels(); void fetchRuns(); void fetchSystem(); };
let begun = false;

/** Asks for what every page shows before there is anything to draw it in. */
export function beginFetching(): void {
  begun = true;
  all();
}

/** Fetches everything and keeps it true as the server tells what changes. */
export function goLive(): () => void {
  // What was asked for too early, before signing in, is asked for again.
  if (!begun || models.get().error) all();
  begun = false;
  let lost = false;
  return listen({
    run: (run) => { const before = runs.get().byId.get(run.id); if (putRun(run)) announce(run, before); },
    model: ({ name, ...change }) => patchModel(name, change),
    models: () => { void fetchModels(); modelsChanged.update((count) => count + 1); },
    log: ({ run, ...line }) => addLog(run, line),
    reset: () => { all(); modelsChanged.update((count) => count + 1); },
    connected: (yes) => {
      // What happened between the first questions and the beginning of the stream was told to nobody.
      if (yes) all();
      // After a restart the server counts anew and cannot tell what was missed.
      if (yes && lost) modelsChanged.update((count) => count + 1);
      lost = !yes;
      connection.set(yes ? "open" : "lost");
    },
  });
}

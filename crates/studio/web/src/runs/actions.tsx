import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Run } from "../api/types";
import { Dialog } from "../parts/dialog";
import { go, modelUrl } from "../router";
import { canResume, isActive, made, putRun, mergeRecipe, removeRun } from "../stores/runs";
import { complain } from "../stores/toasts";

/** What can be done with a run in its state. */
export function RunActions({ run, leave, inEditor = false }: { run: Run; leave?: () => void; inEditor?: boolean }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const recipe = mergeRecipe(run), result = run.state === "done" ? made(run) : null;
  const rerunFirst = run.state === "failed" && !canResume(run);
  const act = async (what: string, action: () => Promise<Run | void>, then?: (run: Run) => void) => {
    setBusy(true);
    try {
      const changed = await action();
      if (changed) { putRun(changed); then?.(changed); }
    } catch (cause) { complain(what, cause); }
    setBusy(false);
  };
  return (
    <div class="actions">
      {isActive(run) && <button type="button" disabled={busy} onClick={() => act("Can’t cancel the run", () => api.cancel(run.id))}>Cancel</button>}
      {canResume(run) && <button type="button" class="primary" disabled={busy} onClick={() => act("Can’t resume the run", () => api.resume(run.id))}>Resume</button>}
      {leave && result && <a class="button primary" href={modelUrl(result.name)}>Open the model</a>}
      {recipe && !inEditor && <a class="button" href={`/new?from=${run.id}`}>Duplicate into the editor</a>}
      {!isActive(run) && <button type="button" class={rerunFirst ? "primary" : ""} disabled={busy} onClick={() => act("Can’t run it again", () => api.rerun(run.id), (again) => go(`/runs/${again.id}`))}>Run again</button>}
      {!isActive(run) && leave && <button type="button" class="quiet" disabled={busy} onClick={() => setAsking(true)}>Remove from the history</button>}
      {asking && leave && (
        <Dialog title={`Remove run ${run.id}?`} close={() => setAsking(false)}>
          <p>{run.title} leaves the history, with its {recipe ? "recipe and its log" : "log"}. {run.kind === "merge" && (run.state === "done" ? "The merged model is kept." : "Its partial output is deleted too.")}</p>
          <div class="actions">
            <button type="button" class="primary" disabled={busy} onClick={() => act("Can’t remove the run", () => api.forget(run.id).then(() => { removeRun(run.id); leave(); }))}>Remove</button>
            <button type="button" onClick={() => setAsking(false)}>Keep</button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

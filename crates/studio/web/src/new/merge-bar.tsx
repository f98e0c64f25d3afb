import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import type { Plan, Run } from "../api/types";
import { modelUrl } from "../router";
import { draft, mergeStarted } from "../stores/draft";
import { isActive, made, putRun, mergeRecipe, runs } from "../stores/runs";
import { useStore } from "../stores/store";
import { said } from "../parts/ticks";
import { StateMark } from "../parts/state";
import { RunActions } from "../runs/actions";
import { RunLog } from "../runs/log";
import { RunProgress } from "../runs/progress";

/**
 * The name of the result and the button that starts the merge; while it goes on, its progress.
 * A merge that ended is shown to who saw it going on; who comes back later finds room for another one.
 */
export function MergeBar({ recipe, plan, ready, follows }: { recipe: string; plan: Plan | null; ready: boolean; follows: boolean }): JSX.Element {
  const asked = useStore(draft, (now) => now.run);
  const told = useStore(runs, (all) => (asked === null ? null : all.byId.get(asked) ?? null));
  const watched = useRef<number | null>(null);
  if (told && isActive(told)) watched.current = told.id;
  const run = told && watched.current === told.id ? told : null;
  const bar = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone: who reads by keyboard or ear goes on in what took its place.
  const begun = useRef(false);
  useEffect(() => {
    if (!begun.current || !run) return;
    begun.current = false;
    bar.current?.querySelector<HTMLElement>("section")?.focus({ preventScroll: true });
    bar.current?.scrollIntoView({ block: "nearest" });
  }, [run?.id]);
  const started = (merge: Run) => {
    begun.current = true;
    watched.current = merge.id;
    putRun(merge);
    mergeStarted(merge.id);
  };
  return (
    <div class={follows ? "merge-bar follows" : "merge-bar"} ref={bar}>
      {run && <Going run={run} />}
      {(!run || mergeRecipe(run) !== recipe) && <NameForm key={asked} recipe={recipe} plan={plan} ready={ready} started={started} />}
    </div>
  );
}

/** The merge that was started here, until the recipe is changed or another one is begun. */
function Going({ run }: { run: Run }): JSX.Element {
  const result = run.state === "done" ? made(run) : null;
  return (
    <section aria-label="Merge" tabIndex={-1}>
      <div class="section-head">
        <h2>{run.title} <StateMark state={run.state} /></h2>
        <div class="actions">
          {result && <a class="button primary" href={modelUrl(result.name)}>Open the model</a>}
          {run.state === "done" ? <a class="button" href={`/runs/${run.id}`}>Open the run</a> : <RunActions run={run} inEditor />}
          {!isActive(run) && <button type="button" onClick={() => draft.update((now) => ({ ...now, run: null }))}>Another merge</button>}
        </div>
      </div>
      {run.error && <p class="aside bad" role="alert">{said(run.error.message)}</p>}
      <RunProgress run={run} />
      {run.state !== "queued" && <details class="numbers"><summary>Log</summary><RunLog run={run.id} kept={[]} /></details>}
    </section>
  );
}

function NameForm({ recipe, plan, ready, started }: { recipe: string; plan: Plan | null; ready: boolean; started: (run: Run) => void }): JSX.Element {
  const now = useStore(draft);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [replace, setReplace] = useState(false);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (!plan || now.nameIsMine || now.name.startsWith(`weightsmith-${plan.method}-`)) return;
    api.proposedName(plan.method).then(({ name }) => draft.update((old) => (old.nameIsMine ? old : { ...old, name })), () => {});
  }, [plan?.method]);
  const merge = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      started(await api.start({ kind: "merge", recipe, name: now.name.trim(), options: { replace, allow_non_finite: false } }));
    } catch (cause) { setProblem(cause as ApiError); }
    setBusy(false);
  };
  return (
    <form onSubmit={merge} aria-label="Merge">
      <label class="name"><span>Name of the result</span>
        <input class="mono" value={now.name} required spellcheck={false} autocomplete="off" aria-invalid={problem?.code === "name_taken"} aria-describedby="merge-problem"
          placeholder="weightsmith-slerp-…"
          onInput={(event) => { const name = event.currentTarget.value; setProblem(null); draft.update((old) => ({ ...old, name, nameIsMine: name !== "" })); }} />
      </label>
      <button type="submit" class="primary large" disabled={!ready || busy || !now.name.trim()}>Merge</button>
      <div id="merge-problem" role="alert" class="merge-problem">
        {problem && <><p>{said(problem.message)}</p>{problem.hints.map((hint) => <p class="hint" key={hint}>{said(hint)}</p>)}</>}
        {problem?.code === "name_taken" && <label class="tick"><input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} /><span>Replace the existing model</span></label>}
      </div>
    </form>
  );
}

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import type { Plan } from "../api/types";
import { modelUrl } from "../router";
import { draft } from "../stores/draft";
import { isActive, putRun, runs } from "../stores/runs";
import { useStore } from "../stores/store";
import { sentence } from "../parts/notice";
import { StateMark } from "../parts/state";
import { RunActions } from "../runs/actions";
import { RunLog } from "../runs/log";
import { RunProgress } from "../runs/progress";

/** The name of the result and the button that starts the merge; while it goes on, its progress. */
export function MergeBar({ recipe, plan, ready }: { recipe: string; plan: Plan | null; ready: boolean }): JSX.Element {
  const now = useStore(draft);
  const run = useStore(runs, (all) => (now.run === null ? null : all.byId.get(now.run) ?? null));
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [replace, setReplace] = useState(false);
  const [busy, setBusy] = useState(false);

  const propose = (method: string) => api.proposedName(method).then(({ name }) => draft.update((old) => (old.nameIsMine ? old : { ...old, name })), () => {});
  useEffect(() => { if (plan && !now.nameIsMine && !now.name.startsWith(`weightsmith-${plan.method}-`)) void propose(plan.method); }, [plan?.method]);

  const merge = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const started = await api.start({ kind: "merge", recipe, name: now.name.trim(), options: { replace, allow_non_finite: false } });
      putRun(started);
      begun.current = true;
      draft.update((old) => ({ ...old, run: started.id }));
    } catch (cause) { setProblem(cause as ApiError); }
    setBusy(false);
  };
  const shown = useRef<HTMLElement>(null);
  // The button that was pressed is gone: who reads by keyboard or ear goes on in what took its place.
  const begun = useRef(false);
  useEffect(() => {
    if (!begun.current || !shown.current) return;
    begun.current = false;
    shown.current.focus({ preventScroll: true });
    shown.current.scrollIntoView({ block: "nearest" });
  }, [run?.id]);
  const another = () => {
    draft.update((old) => ({ ...old, run: null, nameIsMine: false, name: "" }));
    setReplace(false);
    if (plan) void propose(plan.method);
  };

  if (run) {
    return (
      <section class="merge-bar" aria-label="Merge" ref={shown} tabIndex={-1}>
        <div class="section-head">
          <h2>{run.title} <StateMark state={run.state} /></h2>
          <div class="actions">
            {run.state === "done" && run.result?.name && <a class="button primary" href={modelUrl(run.result.name)}>Open the model</a>}
            {run.state === "done" ? <a class="button" href={`/runs/${run.id}`}>Open the run</a> : <RunActions run={run} inEditor />}
            {!isActive(run) && <button type="button" onClick={another}>Another merge</button>}
          </div>
        </div>
        {run.error && <p class="aside bad" role="alert">{sentence(run.error.message)}</p>}
        <RunProgress run={run} />
        {run.state !== "queued" && <details class="numbers"><summary>Log</summary><RunLog run={run.id} kept={[]} /></details>}
      </section>
    );
  }
  return (
    <form class="merge-bar" onSubmit={merge} aria-label="Merge">
      <label class="name"><span>Name of the result</span>
        <input class="mono" value={now.name} required spellcheck={false} autocomplete="off" aria-invalid={problem?.code === "name_taken"} aria-describedby="merge-problem"
          placeholder="weightsmith-slerp-…"
          onInput={(event) => { const name = event.currentTarget.value; setProblem(null); draft.update((old) => ({ ...old, name, nameIsMine: name !== "" })); }} />
      </label>
      <button type="submit" class="primary large" disabled={!ready || busy || !now.name.trim()}>Merge</button>
      <div id="merge-problem" role="alert" class="merge-problem">
        {problem && <><p>{sentence(problem.message)}</p>{problem.hints.map((hint) => <p class="hint" key={hint}>{sentence(hint)}</p>)}</>}
        {problem?.code === "name_taken" && <label class="tick"><input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} /><span>Replace the model of that name</span></label>}
      </div>
    </form>
  );
}

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Run, RunKind, RunState } from "../api/types";
import { bytes, dateTime, duration, number, percent, shortName, shortTime } from "../format";
import { Empty, Problem, Waiting } from "../parts/notice";
import { ticks } from "../parts/ticks";
import { StateMark } from "../parts/state";
import { go, setQuery, usePlace } from "../router";
import { canResume, fetchRuns, isActive, mergeRecipe, runs, sortedRuns } from "../stores/runs";
import { useStore } from "../stores/store";
import { CompareRuns } from "./compare";

export const kinds: Record<RunKind, string> = { merge: "Merge", evaluate: "Evaluation", difference: "Difference", pull: "Pull", push: "Publication" };
const states: RunState[] = ["running", "queued", "done", "failed", "cancelled", "interrupted"];

export function RunsPage(): JSX.Element {
  const now = useStore(runs);
  const { query } = usePlace();
  const [picked, setPicked] = useState<number[]>([]);
  const pair = query.get("compare")?.split(",").map(Number) ?? [];
  if (pair.length === 2 && pair.every(Number.isInteger)) return <CompareRuns left={pair[0]!} right={pair[1]!} />;
  const kind = query.get("kind") ?? "", state = query.get("state") ?? "";
  const all = sortedRuns(now);
  const shown = all.filter((run) => (!kind || run.kind === kind) && (!state || run.state === state));
  const resumable = all.filter((run) => run.state === "interrupted" && canResume(run)).length;
  const pick = (id: number, yes: boolean) => setPicked((before) => (yes ? [...before, id].slice(-2) : before.filter((other) => other !== id)));
  return (
    <>
      <header class="head">
        <div>
          <h1 tabIndex={-1}>Runs</h1>
          <p class="lede">{now.loaded ? [`${all.length}${now.more ? " newest" : ""} merges, evaluations and transfers`, resumable && `${resumable} interrupted, can be resumed`].filter(Boolean).join(" · ") : " "}</p>
        </div>
        <div class="actions">
          <button type="button" disabled={picked.length !== 2} onClick={() => go(`/runs?compare=${[...picked].sort((a, b) => a - b).join(",")}`)}>{picked.length === 2 ? "Compare selected" : "Select two to compare"}</button>
        </div>
      </header>
      {now.error && !now.loaded && <Problem error={now.error} again={() => fetchRuns()} />}
      {!now.loaded && !now.error && <Waiting what="Reading the history" />}
      {now.loaded && all.length === 0 && <Empty title="No runs yet."><p><a href="/new">Write a recipe</a> and merge it; it will be listed here with its recipe, duration and result.</p></Empty>}
      {all.length > 0 && (
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <label class="inline"><span>Kind</span><select value={kind} onChange={(event) => setQuery({ kind: event.currentTarget.value || null })}><option value="">all</option>{Object.entries(kinds).map(([id, title]) => <option key={id} value={id}>{title.toLowerCase()}</option>)}</select></label>
          <label class="inline"><span>State</span><select value={state} onChange={(event) => setQuery({ state: event.currentTarget.value || null })}><option value="">any</option>{states.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
          <span class="note" role="status">{shown.length === all.length ? "" : `${shown.length} of ${all.length}`}</span>
        </form>
      )}
      {shown.length > 0 && (
        <table class="models runs">
          <caption class="unseen">Runs</caption>
          <thead><tr><th scope="col"><span class="unseen">Compare</span></th><th scope="col" class="num">No.</th><th scope="col">What</th><th scope="col">Started</th><th scope="col" class="num">Duration</th><th scope="col">Result</th><th scope="col">State</th></tr></thead>
          <tbody>{shown.map((run) => <Row key={run.id} run={run} picked={picked.includes(run.id)} pick={pick} />)}</tbody>
        </table>
      )}
      {now.loaded && all.length > 0 && shown.length === 0 && <Empty title="No runs match."><p><button type="button" class="linklike" onClick={() => setQuery({ kind: null, state: null })}>Show all</button></p></Empty>}
      {now.more && <p class="more"><button type="button" onClick={() => fetchRuns(true)}>Show older runs</button></p>}
    </>
  );
}

function Row({ run, picked, pick }: { run: Run; picked: boolean; pick: (id: number, yes: boolean) => void }): JSX.Element {
  return (
    <tr>
      <td class="pick"><input type="checkbox" aria-label={`Select run ${run.id} to compare`} checked={picked} onChange={(event) => pick(run.id, event.currentTarget.checked)} /></td>
      <td class="num figure faint">{run.id}</td>
      <th scope="row"><a href={`/runs/${run.id}`}>{run.title}</a><Merged recipe={mergeRecipe(run)} /></th>
      <td class="when" title={dateTime(run.started ?? run.created)}>{shortTime(run.started ?? run.created)}</td>
      <td class="num figure">{duration(took(run))}</td>
      <td class="outcome">{ticks(outcome(run))}</td>
      <td class="at"><StateMark state={run.state} progress={run.total ? run.done / run.total : null} /></td>
    </tr>
  );
}

/** A merge's method and models, as its recipe names them. */
function Merged({ recipe }: { recipe: string | null }): JSX.Element | null {
  const method = /^merge_method:\s*(\S+)/m.exec(recipe ?? "")?.[1];
  if (!recipe || !method) return null;
  const models = [...new Set([...recipe.matchAll(/^\s*- model:\s*(\S+)/gm)].map((match) => shortName(match[1]!)))];
  return <span class="lineage"><em>{method}</em> of {models.join(", ")}</span>;
}

/** How long a run took, or has taken. */
export function took(run: Run): number | null {
  if (run.started == null) return null;
  return (run.ended ?? (isActive(run) ? Date.now() / 1000 : run.started)) - run.started;
}

/** A run's result in a few words. */
export function outcome(run: Run): string {
  if (run.error) return run.error.message;
  if (run.state === "running") return [run.rate && run.kind !== "evaluate" && `${bytes(run.rate)}/s`, run.eta != null && `${duration(run.eta)} left`].filter(Boolean).join(", ") || (run.stage ?? "");
  if (run.state === "queued") return run.queue_position ? `number ${run.queue_position} in the queue` : "";
  const result = run.result;
  if (!result) return run.state === "interrupted" && run.total ? `stopped at ${percent(run.done / run.total)}` : "";
  if ("report" in result) return `${bytes(result.report.bytes_written)} written`;
  if ("evaluation" in result) {
    const { scores } = result.evaluation;
    const score = scores.find((one) => one.model === run.model) ?? scores[0];
    return score ? `${score.metric.replace(/_/g, " ")} ${number(score.value, 4)}` : "";
  }
  if ("models" in result) return `${result.models.join(", ")}${result.bytes ? `, ${bytes(result.bytes)}` : ""}`;
  return "url" in result ? result.url : `against ${result.against}`;
}

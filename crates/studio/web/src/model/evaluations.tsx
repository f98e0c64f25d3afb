import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { Evaluation, ModelDetails, Run, Score } from "../api/types";
import { better, metricName, ScoreBars } from "../charts/scores";
import { count, dateTime } from "../format";
import { Empty, Problem, Waiting } from "../parts/notice";
import { useLoad } from "../stores/load";
import { runs } from "../stores/runs";
import { useStore } from "../stores/store";
import { EvaluateForm } from "./evaluate-form";
import { closeDraft, openDraft, useEvaluationDraft } from "../stores/evaluations";
import { RunLine } from "../runs/line";

export function EvaluationsTab({ model }: { model: ModelDetails }): JSX.Element {
  const loaded = useLoad(() => api.evaluations(model.name), [model.name]);
  const written = useEvaluationDraft(model.name), writing = written !== null;
  const write = () => openDraft(model.name, model.parents.filter((parent) => parent.known).map((parent) => parent.name));
  const done = useStore(runs, (now) => written?.run != null && now.byId.get(written.run)?.state === "done");
  useEffect(() => { if (done) closeDraft(model.name); }, [done]);
  const active = useStore(runs, activeOf(model.name));
  const run = active === null ? null : runs.get().byId.get(active) ?? null;
  useEffect(() => { if (active === null) loaded.again(); }, [active]);
  const list = loaded.value?.evaluations ?? [];
  return (
    <>
      <div class="section-head"><h2>Evaluations</h2>{!writing && <button type="button" onClick={write}>Evaluate</button>}</div>
      {written && <EvaluateForm model={model} written={written} />}
      {run && <RunLine run={run} />}
      {loaded.loading && !loaded.value && <Waiting what="Looking for results" />}
      {loaded.error && <Problem error={loaded.error} again={loaded.again} />}
      {loaded.value && list.length === 0 && !writing && !run && (
        <Empty title="No evaluations yet."><p>Measure perplexity or question accuracy, compared with the parents. <button type="button" class="linklike" onClick={write}>Run an evaluation</button></p></Empty>
      )}
      {list.map((evaluation, index) => <EvaluationView key={evaluation.run ?? index} evaluation={evaluation} model={model.name} />)}
    </>
  );
}

/** One evaluation's scores, a chart per measure. */
export function EvaluationView({ evaluation, model }: { evaluation: Evaluation; model: string }): JSX.Element {
  const metrics = [...new Set(evaluation.scores.map((score) => score.metric))];
  return (
    <section class="evaluation">
      <h3>{evaluation.data.name} <span class="note">{dateTime(evaluation.at)}{evaluation.run ? <> · <a href={`/runs/${evaluation.run}`}>run {evaluation.run}</a></> : ""}</span></h3>
      {metrics.map((metric) => {
        const scores = evaluation.scores.filter((score) => score.metric === metric);
        return (
          <div key={metric}>
            <p class="metric">{metricName(metric)} <span class="note">{better(metric)}{counted(scores)}</span></p>
            <ScoreBars scores={scores} models={[model]} />
          </div>
        );
      })}
    </section>
  );
}

function counted(scores: Score[]): string {
  const first = scores[0];
  if (!first?.count) return "";
  return ` · ${count(first.count)} ${first.metric === "perplexity" ? "tokens" : "questions"}${first.error == null ? "" : ", whiskers are standard errors"}`;
}

const activeOf = (model: string) => (now: { byId: Map<number, Run> }): number | null => {
  for (const run of now.byId.values()) if (run.kind === "evaluate" && run.model === model && (run.state === "running" || run.state === "queued")) return run.id;
  return null;
};

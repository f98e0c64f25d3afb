import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { Run } from "../api/types";
import { bytes, count, dateTime, duration } from "../format";
import { EvaluationView } from "../model/evaluations";
import { Code } from "../parts/code";
import { Facts } from "../parts/facts";
import { Empty, Problem, Waiting } from "../parts/notice";
import { StateMark } from "../parts/state";
import { ticks } from "../parts/ticks";
import { go, modelUrl } from "../router";
import { useLoad } from "../stores/load";
import { later, made, mergeRecipe, runs } from "../stores/runs";
import { useStore } from "../stores/store";
import { RunActions } from "./actions";
import { RunLog } from "./log";
import { kinds, took } from "./page";
import { RunProgress } from "./progress";

export function RunPage({ id }: { id: number }): JSX.Element {
  const loaded = useLoad(() => api.run(id), [id]);
  const live = useStore(runs, (now) => now.byId.get(id) ?? null);
  // The log of a run that ended while the page was away is only whole on the server.
  useEffect(() => { if (live?.ended && loaded.value && !loaded.value.ended) loaded.again(); }, [live?.ended]);
  const run = later(live, loaded.value);
  if (!run && loaded.error) {
    return <><h1 tabIndex={-1}>Run {id}</h1>{loaded.error.status === 404 ? <Empty title="Run not found."><p>It may have been removed from the history. <a href="/runs">All runs</a></p></Empty> : <Problem error={loaded.error} again={loaded.again} />}</>;
  }
  if (!run) return <><h1 tabIndex={-1}>Run {id}</h1><Waiting what="Reading the run" /></>;
  const recipe = mergeRecipe(run);
  return (
    <>
      <header class="head">
        <div>
          <h1 tabIndex={-1}>{run.title}</h1>
          <p class="lede">{kinds[run.kind] ?? run.kind} <span class="figure">{run.id}</span> · <StateMark state={run.state} /></p>
        </div>
        <RunActions run={run} leave={() => go("/runs")} />
      </header>
      {run.error && <Problem error={run.error} />}
      <div role="status" class="unseen">{run.state}</div>
      <RunProgress run={run} />
      <Facts kind="across" facts={factsOf(run)} />
      <Result run={run} />
      <div class={recipe ? "halves" : "whole"}>
        <section><h2>Log</h2>{loaded.value ? <RunLog run={id} kept={loaded.value.log} /> : loaded.error ? <Problem error={loaded.error} again={loaded.again} /> : <Waiting what="Reading the log" />}</section>
        {recipe && <section><Code text={recipe} language="yaml" title="Recipe" /></section>}
      </div>
    </>
  );
}

function factsOf(run: Run) {
  const report = made(run)?.report;
  return [
    { term: "Queued", value: dateTime(run.created) },
    { term: "Started", value: dateTime(run.started) },
    { term: "Duration", value: <span class="figure">{duration(took(run))}</span> },
    run.model ? { term: run.kind === "merge" ? "Output" : "Model", value: run.kind === "merge" && run.state !== "done" ? run.model : <a href={modelUrl(run.model)}>{run.model}</a> } : null,
    report ? { term: "Parameters", value: <span class="figure">{count(report.parameters)}</span>, note: `${count(report.tensors)} tensors` } : null,
    report ? { term: "Read", value: <span class="figure">{bytes(report.bytes_read)}</span> } : null,
    report ? { term: "Written", value: <span class="figure">{bytes(report.bytes_written)}</span>, note: report.resumed_bytes ? `${bytes(report.resumed_bytes)} resumed` : "" } : null,
    report?.peak_private ? { term: "Peak memory", value: <span class="figure">{bytes(report.peak_private)}</span> } : null,
  ];
}

function Result({ run }: { run: Run }): JSX.Element | null {
  const result = run.result;
  if (!result) return null;
  return (
    <>
      {"words" in result && result.words.length > 0 && <section class="words">{result.words.map((text) => <p key={text}>{ticks(text)}</p>)}</section>}
      {"evaluation" in result && <EvaluationView evaluation={result.evaluation} model={run.model ?? ""} />}
      {run.kind === "difference" && run.model && <p><a href={`${modelUrl(run.model)}?tab=merge`}>Show the difference map</a></p>}
      {"models" in result && <p>{result.models.map((name) => <a key={name} href={modelUrl(name)}>{name}</a>)}</p>}
      {"url" in result && /^https?:/.test(result.url) && <p><a href={result.url} target="_blank" rel="noopener noreferrer">{result.url}</a>{result.commit && <> at <code>{result.commit.slice(0, 10)}</code></>}</p>}
    </>
  );
}

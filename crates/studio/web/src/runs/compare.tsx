import type { ComponentChildren, JSX } from "preact";
import { api } from "../api/client";
import type { Run, Score } from "../api/types";
import { bytes, dateTime, duration, number } from "../format";
import { ScoreBars, better, metricName } from "../charts/scores";
import { Problem, Waiting } from "../parts/notice";
import { StateMark } from "../parts/state";
import { said, ticks } from "../parts/ticks";
import { modelUrl } from "../router";
import { useLoad } from "../stores/load";
import { made, measured, mergeRecipe } from "../stores/runs";
import { differingLines } from "./lines";
import { kinds, took } from "./page";

/** Two runs side by side: facts, what differs in their recipes, results. */
export function CompareRuns({ left, right }: { left: number; right: number }): JSX.Element {
  const loaded = useLoad(async () => {
    const pair = await Promise.all([api.run(left), api.run(right)]);
    const evaluations = await Promise.all(pair.map((run) => (run.model && run.state === "done" ? api.evaluations(run.model).then((answer) => answer.evaluations, () => []) : Promise.resolve([]))));
    return { pair, evaluations };
  }, [left, right]);
  if (loaded.error) return <><h1 tabIndex={-1}>Compare two runs</h1><Problem error={loaded.error} again={loaded.again} /></>;
  if (!loaded.value) return <><h1 tabIndex={-1}>Compare two runs</h1><Waiting what="Reading both" /></>;
  const [a, b] = loaded.value.pair;
  return (
    <>
      <header class="head"><div><h1 tabIndex={-1}>Compare two runs</h1><p class="lede"><a href="/runs">All runs</a></p></div></header>
      <table class="grid compare">
        <thead><tr><td /><th scope="col"><a href={`/runs/${a!.id}`}>{a!.title}</a></th><th scope="col"><a href={`/runs/${b!.id}`}>{b!.title}</a></th></tr></thead>
        <tbody>
          {rows(a!, b!).map(([term, one, other]) => <tr key={term}><th scope="row">{term}</th><td>{one}</td><td>{other}</td></tr>)}
        </tbody>
      </table>
      {mergeRecipe(a!) && mergeRecipe(b!) && <RecipeDifference left={a!} right={b!} />}
      <CommonScores pair={[a!, b!]} scores={scoresOf([a!, b!], loaded.value.evaluations)} />
    </>
  );
}

function rows(a: Run, b: Run): [string, ComponentChildren, ComponentChildren][] {
  const both = (term: string, show: (run: Run) => ComponentChildren): [string, ComponentChildren, ComponentChildren] => [term, show(a), show(b)];
  const figure = (text: string) => <span class="figure">{text}</span>;
  return [
    both("Kind", (run) => kinds[run.kind]), both("State", (run) => <StateMark state={run.state} />),
    both("Model", (run) => (run.model ? <a href={modelUrl(run.model)}>{run.model}</a> : "–")),
    both("Started", (run) => dateTime(run.started)), both("Duration", (run) => figure(duration(took(run)))),
    both("Read", (run) => figure(bytes(made(run)?.report.bytes_read))), both("Written", (run) => figure(bytes(made(run)?.report.bytes_written))),
    both("Summary", (run) => (run.error ? said(run.error.message) : made(run) ? ticks(made(run)!.words.join(" ")) : "–")),
  ];
}

function RecipeDifference({ left, right }: { left: Run; right: Run }): JSX.Element {
  const lines = differingLines(mergeRecipe(left) ?? "", mergeRecipe(right) ?? "");
  const changed = lines.filter((line) => line.kind !== "same").length;
  return (
    <section>
      <div class="section-head"><h2>Recipes</h2><span class="note">{changed ? `lines marked − are only in run ${left.id}, lines marked + only in run ${right.id}` : "the same"}</span></div>
      <pre class="line-diff" tabIndex={0} role="region" aria-label="Recipe differences">
        {lines.map((line, index) => <span key={index} class={`line-${line.kind}`}>{line.kind === "left" ? "− " : line.kind === "right" ? "+ " : "  "}{line.text}{"\n"}</span>)}
      </pre>
    </section>
  );
}

type Common = { title: string; metric: string; scores: Score[] };

/** What both models were measured on, from their own and from other evaluations. */
function scoresOf(pair: Run[], evaluations: { data: { name: string }; scores: Score[] }[][]): Common[] {
  const found = new Map<string, Common>();
  pair.forEach((run, at) => {
    const own = measured(run);
    for (const evaluation of [...(own ? [own] : []), ...(evaluations[at] ?? [])]) {
      for (const score of evaluation.scores) {
        const key = `${evaluation.data.name} ${score.metric}`;
        const common = found.get(key) ?? { title: evaluation.data.name, metric: score.metric, scores: [] };
        if (!common.scores.some((other) => other.model === score.model)) common.scores.push(score);
        found.set(key, common);
      }
    }
  });
  return [...found.values()];
}

function CommonScores({ pair, scores }: { pair: Run[]; scores: Common[] }): JSX.Element | null {
  if (!scores.length) return null;
  return (
    <section class="evaluation">
      <h2>Results</h2>
      {scores.map((common) => {
        const [one, other] = pair.map((run) => common.scores.find((score) => score.model === run.model));
        return (
          <div key={common.title + common.metric}>
            <p class="metric">{metricName(common.metric)} on {common.title} <span class="note">{better(common.metric)}{one && other && one.model !== other.model ? ` · difference ${number(other.value - one.value, 4)}` : ""}</span></p>
            <ScoreBars scores={common.scores} models={pair.flatMap((run) => run.model ?? [])} />
          </div>
        );
      })}
    </section>
  );
}

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { Score } from "../api/types";
import { count, number, percent, shortName } from "../format";
import { clipMiddle } from "./labels";
import { useWidth } from "../parts/width";

const share = (metric: string) => metric !== "perplexity" && !/kl|ppl/i.test(metric);
/** Where a whisker begins: no measure here goes below nothing. */
export const whiskerStart = (score: Score) => Math.max(0, score.value - (score.error ?? 0));
/** An error larger than the value: it was measured on too little to say much. */
export const isVague = (score: Score) => score.error != null && score.error > score.value && !share(score.metric);
const figure = (score: Score, value: number) => (share(score.metric) ? percent(value, 1) : number(value, 3));
export const metricName = (metric: string) => metric.replace(/_/g, " ");
export const better = (metric: string) => (share(metric) ? "higher is better" : "lower is better");

/** Scores of several models in one measure, those of `models` marked: a bar each, with the standard error as a whisker. */
export function ScoreBars({ scores, models }: { scores: Score[]; models: string[] }): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const metric = scores[0]?.metric ?? "";
  const left = width < 520 ? 104 : 190, right = scores.some(isVague) ? 150 : 92, row = 28;
  const ends = scores.map((score) => score.value + (score.error ?? 0));
  // Shares are bars from nothing to all. What has no natural end is dots on the part of the scale that matters.
  const bars = share(metric);
  const [low, high] = bars ? [0, 1] : zoomed(scores.map(whiskerStart), ends);
  const x = (value: number) => left + ((value - low) / (high - low)) * (width - left - right);
  const height = scores.length * row + 4;
  return (
    <div ref={ref} class="chart">
      <svg width={width} height={height} role="img" aria-labelledby={id}>
        <title id={id}>{`${metricName(metric)}, ${better(metric)}`}</title>
        {bars && <line class="rule" x1={left} x2={left} y1={0} y2={height} />}
        {scores.map((score, at) => {
          const middle = at * row + row / 2, own = models.includes(score.model);
          const from = x(whiskerStart(score)), to = x(score.value + (score.error ?? 0));
          return (
            <g key={score.model} class={own ? "own" : ""}>
              <text x={left - 10} y={middle + 4} text-anchor="end">{clipMiddle(shortName(score.model), left / 7.2)}<title>{score.model}</title></text>
              {bars
                ? <rect x={left} y={middle - 6} width={Math.max(0.5, x(score.value) - left)} height={12} style={{ fill: own ? "var(--accent)" : "var(--bar)" }} />
                : <><line class="rule" x1={left} x2={width - right} y1={middle} y2={middle} /><circle cx={x(score.value)} cy={middle} r={4.5} style={{ fill: own ? "var(--accent)" : "var(--bar)" }} /></>}
              {score.error != null && <path class="whisker" d={`M${from} ${middle}H${to}M${from} ${middle - 4}v8M${to} ${middle - 4}v8`} />}
              <text class="figure" x={Math.max(to, x(score.value)) + 8} y={middle + 4}>{figure(score, score.value)}{isVague(score) && <tspan class="vague"> few tokens</tspan>}</text>
            </g>
          );
        })}
      </svg>
      <div class="unseen"><table>
        <caption>{`${metricName(metric)}, ${better(metric)}`}</caption>
        <thead><tr><th scope="col">model</th><th scope="col">value</th><th scope="col">standard error</th><th scope="col">measured on</th></tr></thead>
        <tbody>{scores.map((score) => <tr key={score.model}><th scope="row">{score.model}</th><td>{figure(score, score.value)}</td><td>{score.error == null ? "" : figure(score, score.error)}</td><td>{score.count == null ? "" : count(score.count)}{isVague(score) && ", few tokens"}</td></tr>)}</tbody>
      </table></div>
    </div>
  );
}


function zoomed(starts: number[], ends: number[]): [number, number] {
  const low = Math.min(...starts), high = Math.max(...ends), margin = (high - low || Math.abs(high) * 0.1 || 1) * 0.3;
  return [Math.max(0, low - margin), high + margin];
}

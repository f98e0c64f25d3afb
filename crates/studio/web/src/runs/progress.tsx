import type { JSX } from "preact";
import type { Run, RunKind } from "../api/types";
import { bytes, count, duration } from "../format";
import { Meter } from "../parts/meter";
import { isActive } from "../stores/runs";

/** What becomes of a run's bytes; an evaluation has steps instead. */
const moved: Partial<Record<RunKind, string>> = { merge: "written", pull: "received", push: "sent", difference: "read" };

/** What a run is doing now: stage, bytes, rate, tensors, time left, place in the queue. */
export function RunProgress({ run }: { run: Run }): JSX.Element | null {
  const stopped = !isActive(run) && run.state !== "done" && run.done > 0;
  if (!isActive(run) && !stopped) return null;
  const share = run.total > 0 ? run.done / run.total : null;
  if (run.state === "queued") {
    return <p class="queue" role="status">{run.queue_position ? `Number ${run.queue_position} in the queue; merges run one at a time.` : "In the queue."}</p>;
  }
  return (
    <div class="run-progress">
      <Meter label={run.title} share={share} />
      <dl class="gauges">
        <Gauge term={run.stage ?? run.state} value={share === null ? "–" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`} />
        {moved[run.kind] && <Gauge term={moved[run.kind]!} value={bytes(run.done)} note={run.total ? `of ${bytes(run.total)}` : ""} />}
        {run.tensors != null && <Gauge term="tensors" value={count(run.tensors_done)} note={`of ${count(run.tensors)}`} />}
        {isActive(run) && moved[run.kind] && <Gauge term="rate" value={run.rate == null ? "–" : `${bytes(run.rate)}/s`} />}
        {isActive(run) && <Gauge term="left" value={duration(run.eta)} />}
      </dl>
    </div>
  );
}

function Gauge({ term, value, note = "" }: { term: string; value: string; note?: string }): JSX.Element {
  return <div><dt>{term}</dt><dd><span class="figure">{value}</span>{note && <span class="note figure"> {note}</span>}</dd></div>;
}

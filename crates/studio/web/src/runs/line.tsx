import type { JSX } from "preact";
import type { Run } from "../api/types";
import { StateMark } from "../parts/state";
import { RunActions } from "./actions";
import { RunProgress } from "./progress";

/** A run that is going on, in the middle of another page. */
export function RunLine({ run }: { run: Run }): JSX.Element {
  return (
    <div class="run-line">
      <div class="section-head"><p><a href={`/runs/${run.id}`}>{run.title}</a> <StateMark state={run.state} /></p><RunActions run={run} /></div>
      <RunProgress run={run} />
    </div>
  );
}

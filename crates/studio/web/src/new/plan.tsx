import type { JSX } from "preact";
import type { Explanation, Plan } from "../api/types";
import { ExplanationView } from "../charts/explanation";
import { bytes, count, duration, plural } from "../format";
import { ticks } from "../parts/ticks";
import { Facts } from "../parts/facts";
import { api } from "../api/client";
import { putRun } from "../stores/runs";
import { useStore } from "../stores/store";
import { system } from "../stores/system";
import { complain, say } from "../stores/toasts";

/** What the recipe will do, before anything is written. */
export function PlanView({ plan, explanation, old }: { plan: Plan; explanation: Explanation | null; old: boolean }): JSX.Element {
  const machine = useStore(system);
  const tight = machine && plan.bytes_written > machine.disk_free;
  return (
    <div class={old ? "plan old" : "plan"} aria-busy={old}>
      <p class="plan-method">{plan.title}</p>
      <Facts kind="pairs" facts={[
        { term: "Parameters", value: <span class="figure">{count(plan.parameters)}</span> },
        { term: "Tensors", value: <span class="figure">{count(plan.tensors)}</span>, note: `${plural(plan.layers, "layer")}` },
        { term: "Weights", value: <span class="figure">{plan.weights_type}</span>, note: plural(plan.files.length, "file") },
        { term: "Writes", value: <span class="figure">{bytes(plan.bytes_written)}</span>, note: `reads ${bytes(plan.bytes_read)}` },
        { term: "Estimated time", value: <span class="figure">{duration(plan.seconds_expected)}</span> },
        { term: "Max memory", value: <span class="figure">{bytes(plan.memory)}</span> },
      ]} />
      {tight && <p class="aside bad">Only {bytes(machine.disk_free)} of disk are free.</p>}
      <table class="grid inputs">
        <caption class="unseen">Models to merge</caption>
        <thead><tr><th scope="col">Model</th><th scope="col" class="num">Layers</th><th scope="col" class="num">Tensors</th><th scope="col">Part</th></tr></thead>
        <tbody>
          {plan.inputs.map((input) => (
            <tr key={input.name}><th scope="row">{input.label}{!input.known && <span class="note"> not downloaded</span>}</th><td class="num figure">{count(input.layers)}</td><td class="num figure">{count(input.tensors)}</td>
              <td>{[input.base && "base", input.donor && "provides config and tokenizer"].filter(Boolean).join(", ") || "–"}</td></tr>
          ))}
        </tbody>
      </table>
      {plan.needs_download.map((one) => (
        <p class="aside" key={one.model}>{one.model} is not downloaded yet: {bytes(one.bytes)} to download.{" "}
          <button type="button" class="linklike" onClick={() => api.start({ kind: "pull", model: one.model }).then((run) => { putRun(run); say(`Pulling ${one.model}`, { link: { href: `/runs/${run.id}`, text: "View run" } }); }, (cause) => complain("Can’t pull the model", cause))}>Pull now</button></p>
      ))}
      {plan.dropped.length > 0 && (
        <details class="numbers"><summary>{plural(plan.dropped.length, "tensor")} left out</summary>
          <ul class="dropped">{plan.dropped.map((one) => <li key={one.tensor + one.model}><code>{one.tensor}</code> of {one.model}: {ticks(one.reason)}</li>)}</ul>
        </details>
      )}
      {explanation && <ExplanationView explanation={explanation} small />}
    </div>
  );
}

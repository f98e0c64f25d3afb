import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Difference, ModelDetails, Run } from "../api/types";
import { HeatMap, rangeOf, type Measure } from "../charts/heat";
import { ago, number, percent } from "../format";
import { Choice } from "../parts/choice";
import { Meter } from "../parts/meter";
import { Problem, Waiting } from "../parts/notice";
import { said } from "../parts/ticks";
import { useLoad } from "../stores/load";
import { isActive, putRun, runs } from "../stores/runs";
import { useStore } from "../stores/store";
import { complain } from "../stores/toasts";

const measures: { id: Measure; title: string }[] = [{ id: "relative", title: "Relative norm" }, { id: "cosine", title: "Cosine" }, { id: "changed", title: "Changed" }];

export function Differences({ model }: { model: ModelDetails }): JSX.Element | null {
  const [measure, setMeasure] = useState<Measure>("relative");
  const [found, setFound] = useState<Record<string, Difference>>({});
  const range = rangeOf(Object.values(found), measure);
  const known = model.parents.filter((parent) => parent.known);
  const unknown = model.parents.filter((parent) => !parent.known);
  if (!model.parents.length) return null;
  return (
    <section class="differences">
      <div class="section-head"><h2>Distance from each parent</h2><Choice label="Measure" hideLabel options={measures} value={measure} set={setMeasure} /></div>
      {known.map((parent) => <OneDifference key={parent.name} model={model.name} against={parent.name} label={parent.label} measure={measure} range={range} found={(difference) => setFound((now) => ({ ...now, [parent.name]: difference }))} />)}
      {unknown.map((parent) => <p class="note" key={parent.name}>{parent.label} is not on this machine; pull it to compare.</p>)}
    </section>
  );
}

function OneDifference({ model, against, label, measure, range, found }: { model: string; against: string; label: string; measure: Measure; range: [number, number]; found: (difference: Difference) => void }): JSX.Element {
  const loaded = useLoad(() => api.difference(model, against), [model, against]);
  const run = useStore(runs, newest(model, against));
  useEffect(() => { if (run?.state === "done" && loaded.error?.status === 404) loaded.again(); }, [run?.state]);
  useEffect(() => { if (loaded.value) found(loaded.value); }, [loaded.value]);
  const compute = () => api.start({ kind: "difference", model, against }).then(putRun, (cause) => complain("Can’t compute the difference", cause));
  const difference = loaded.value, whole = difference?.summary.measures;
  return (
    <div class="difference">
      <h3>to {label}
        {difference && <span class="note">{[whole?.cosine != null && `cosine ${whole.cosine.toFixed(4)}`, whole?.relative_difference != null && `relative ${number(whole.relative_difference, 3)}`, whole?.changed_share != null && `${percent(whole.changed_share)} of the elements changed`, `computed ${ago(difference.computed)}`].filter(Boolean).join(" · ")}</span>}
      </h3>
      {loaded.loading && !difference && <Waiting what="Queuing the comparison" />}
      {difference && <HeatMap difference={difference} measure={measure} range={range} />}
      {difference && difference.outside.length > 0 && (
        <p class="note">Outside the layers: {difference.outside.map((one) => `${one.name.replace(/^model\./, "").replace(/\.weight$/, "")} cosine ${one.cosine == null ? "–" : one.cosine.toFixed(4)}, relative ${one.relative == null ? "–" : number(one.relative, 3)}`).join("; ")}</p>
      )}
      {loaded.error && loaded.error.code !== "not_computed" && <Problem error={loaded.error} again={loaded.again} />}
      {loaded.error?.code === "not_computed" && (
        run && isActive(run)
          ? <div class="computing"><p class="note" role="status">{run.state === "queued" ? "Queued" : "Reading both models"}</p><Meter label={`Difference to ${label}`} share={run.total ? run.done / run.total : null} /></div>
          : <p class="offer">{run?.state === "failed" ? said(run.error?.message ?? "it failed") : "Not computed yet. Computing reads both models once."} <button type="button" onClick={compute}>Compute</button></p>
      )}
    </div>
  );
}

const newest = (model: string, against: string) => (now: { byId: Map<number, Run> }): Run | null => {
  let found: Run | null = null;
  for (const run of now.byId.values()) {
    const { request } = run;
    if (request.kind === "difference" && request.model === model && request.against === against && (!found || run.id > found.id)) found = run;
  }
  return found;
};

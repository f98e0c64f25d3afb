import type { JSX, TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import type { DataKind, ModelDetails } from "../api/types";
import { Choice } from "../parts/choice";
import { Problem } from "../parts/notice";
import { isActive, putRun, runs } from "../stores/runs";
import { useStore } from "../stores/store";
import { changeDraft, closeDraft, type EvaluationDraft } from "../stores/evaluations";

const examples: Record<DataKind, string> = {
  perplexity: "Paste text that the model has not seen.",
  tasks: '{"question": "What is the capital of Norway?", "answer": "Oslo"}\n{"question": "Which is larger?", "choices": ["an ant", "a whale"], "answer": 1}',
};

/** What to measure a model on, and beside whom. What is written stays until its run is done: a failure is shown beside it. */
export function EvaluateForm({ model, written }: { model: ModelDetails; written: EvaluationDraft }): JSX.Element {
  const { kind, name, text, file, against } = written;
  const change = (what: Partial<EvaluationDraft>) => changeDraft(model.name, what);
  const [refused, setRefused] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const run = useStore(runs, (now) => (written.run === null ? null : now.byId.get(written.run) ?? null));
  const going = busy || (run !== null && isActive(run));
  const parents = model.parents.filter((parent) => parent.known);
  const ready = text.trim() !== "" || file.trim() !== "";
  const read = async (event: TargetedEvent<HTMLInputElement>) => {
    const chosen = event.currentTarget.files?.[0];
    if (!chosen) return;
    change({ text: await chosen.text(), ...(name ? {} : { name: chosen.name.replace(/\.(txt|jsonl)$/, "") }), ...(chosen.name.endsWith(".jsonl") ? { kind: "tasks" } : {}) });
  };
  const start = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    const data = { kind, name: name.trim() || file.trim().split("/").pop() || (kind === "tasks" ? "questions" : "text"), ...(file.trim() ? { file: file.trim() } : { text }) };
    try {
      const started = await api.start({ kind: "evaluate", model: model.name, against, data });
      putRun(started);
      change({ run: started.id });
    } catch (cause) { setRefused(cause as ApiError); }
    setBusy(false);
  };
  const reason = refused ?? (run?.error && !going ? run.error : null);
  return (
    <form class="sheet" onSubmit={start}>
      <Choice label="Measure" options={[{ id: "perplexity", title: "Perplexity on text" }, { id: "tasks", title: "Question accuracy" }]} value={kind} set={(next) => change({ kind: next })} />
      <label class="field"><span>{kind === "tasks" ? "Questions, one JSON object per line" : "Text"}</span>
        <textarea rows={7} class="mono" value={text} placeholder={examples[kind]} disabled={file.trim() !== ""} onInput={(event) => change({ text: event.currentTarget.value })} /></label>
      <div class="row">
        <label class="field"><span>or load it from your computer</span><input type="file" accept=".txt,.jsonl,text/plain" onChange={read} /></label>
        <label class="field"><span>or use a file in one of the server’s folders</span><input value={file} placeholder="data/heldout.jsonl" onInput={(event) => change({ file: event.currentTarget.value })} /></label>
        <label class="field"><span>Name of the dataset</span><input value={name} placeholder={kind === "tasks" ? "questions" : "text"} onInput={(event) => change({ name: event.currentTarget.value })} /></label>
      </div>
      {parents.length > 0 && (
        <fieldset class="beside"><legend>Compare with</legend>
          {parents.map((parent) => (
            <label class="tick" key={parent.name}><input type="checkbox" checked={against.includes(parent.name)}
              onChange={(event) => { const yes = event.currentTarget.checked; change({ against: yes ? [...against, parent.name] : against.filter((other) => other !== parent.name) }); }} /><span>{parent.label}</span></label>
          ))}
        </fieldset>
      )}
      <div class="actions"><button type="submit" class="primary" disabled={!ready || going}>{going ? "Evaluating…" : "Evaluate"}</button><button type="button" onClick={() => closeDraft(model.name)}>Close</button></div>
      {reason && <Problem error={reason} />}
      {run && !going && !reason && run.state !== "done" && <p class="aside" role="status">The evaluation was {run.state}. <a href={`/runs/${run.id}`}>Open the run</a></p>}
    </form>
  );
}

import type { JSX, TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { ModelDetails } from "../api/types";
import { Choice } from "../parts/choice";
import { putRun } from "../stores/runs";
import { complain } from "../stores/toasts";

type Kind = "perplexity" | "tasks";
const examples: Record<Kind, string> = {
  perplexity: "Paste a text that the model has not seen.",
  tasks: '{"question": "What is the capital of Norway?", "answer": "Oslo"}\n{"question": "Which is larger?", "choices": ["an ant", "a whale"], "answer": 1}',
};

/** What to measure a model on, and beside whom. */
export function EvaluateForm({ model, close }: { model: ModelDetails; close: () => void }): JSX.Element {
  const [kind, setKind] = useState<Kind>("perplexity");
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [file, setFile] = useState("");
  const parents = model.parents.filter((parent) => parent.known);
  const [against, setAgainst] = useState<string[]>(parents.map((parent) => parent.name));
  const ready = text.trim() !== "" || file.trim() !== "";
  const read = async (event: TargetedEvent<HTMLInputElement>) => {
    const chosen = event.currentTarget.files?.[0];
    if (!chosen) return;
    setText(await chosen.text());
    if (!name) setName(chosen.name.replace(/\.(txt|jsonl)$/, ""));
    if (chosen.name.endsWith(".jsonl")) setKind("tasks");
  };
  const start = async (event: Event) => {
    event.preventDefault();
    const data = { kind, name: name.trim() || file.trim().split("/").pop() || (kind === "tasks" ? "questions" : "text"), ...(file.trim() ? { file: file.trim() } : { text }) };
    try {
      putRun(await api.start({ kind: "evaluate", model: model.name, against, data }));
      close();
    } catch (cause) { complain("The evaluation cannot start", cause); }
  };
  return (
    <form class="sheet" onSubmit={start}>
      <Choice label="Measure" options={[{ id: "perplexity", title: "Perplexity on a text" }, { id: "tasks", title: "Answers to questions" }]} value={kind} set={setKind} />
      <label class="field"><span>{kind === "tasks" ? "Questions, a JSON object in a line" : "Text"}</span>
        <textarea rows={7} class="mono" value={text} placeholder={examples[kind]} disabled={file.trim() !== ""} onInput={(event) => setText(event.currentTarget.value)} /></label>
      <div class="row">
        <label class="field"><span>or read it from your computer</span><input type="file" accept=".txt,.jsonl,text/plain" onChange={read} /></label>
        <label class="field"><span>or a file in one of the server’s folders</span><input value={file} placeholder="data/heldout.jsonl" onInput={(event) => setFile(event.currentTarget.value)} /></label>
        <label class="field"><span>Name of the data</span><input value={name} placeholder={kind === "tasks" ? "questions" : "text"} onInput={(event) => setName(event.currentTarget.value)} /></label>
      </div>
      {parents.length > 0 && (
        <fieldset class="beside"><legend>Compare with</legend>
          {parents.map((parent) => (
            <label class="tick" key={parent.name}><input type="checkbox" checked={against.includes(parent.name)}
              onChange={(event) => { const yes = event.currentTarget.checked; setAgainst((now) => (yes ? [...now, parent.name] : now.filter((other) => other !== parent.name))); }} /><span>{parent.label}</span></label>
          ))}
        </fieldset>
      )}
      <div class="actions"><button type="submit" class="primary" disabled={!ready}>Evaluate</button><button type="button" onClick={close}>Close</button></div>
    </form>
  );
}

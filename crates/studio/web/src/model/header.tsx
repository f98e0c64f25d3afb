import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Model, ModelDetails } from "../api/types";
import { bytes, count, date, dateTime } from "../format";
import { Facts } from "../parts/facts";
import { said } from "../parts/ticks";
import { ModelMark, StateMark } from "../parts/state";
import { go, modelUrl } from "../router";
import { cannotSpeak, modelNamed, models } from "../stores/models";
import { useStore } from "../stores/store";
import { complain } from "../stores/toasts";
import { draft } from "../stores/draft";
import { PublishDialog } from "./publish";

/** Name, lineage and the facts of a model. The state is the list's, which follows the server's events. */
export function ModelHeader({ model }: { model: ModelDetails }): JSX.Element {
  const live = useStore(models, modelNamed(model.name)) ?? model;
  const [publishing, setPublishing] = useState(false);
  const silent = cannotSpeak(live);
  const slash = model.name.lastIndexOf("/") + 1;
  const edit = () => { draft.update((now) => ({ ...now, recipe: model.recipe!, run: null, preview: null })); go("/new"); };
  return (
    <header class="model-head">
      <div class="head">
        <div>
          <h1 tabIndex={-1} class="model-name">{slash > 0 && <span class="org">{model.name.slice(0, slash)}</span>}{model.name.slice(slash)}</h1>
          <p class="lede"><Origin model={model} /></p>
        </div>
        {live.state !== "broken" && (
          <div class="actions">
            {silent === null && <LoadButton model={live} />}
            {model.recipe && <button type="button" onClick={edit}>Edit the recipe</button>}
            {model.origin !== "preview" && <button type="button" onClick={() => setPublishing(true)}>Publish</button>}
          </div>
        )}
      </div>
      {live.error && (silent === null || live.state === "broken") && <p class="aside bad" role="alert">{said(live.error)}</p>}
      <Facts kind="across" facts={factsOf(model, live)} />
      {publishing && <PublishDialog model={model} close={() => setPublishing(false)} />}
    </header>
  );
}

function Origin({ model }: { model: ModelDetails }): JSX.Element {
  if (!model.parents.length) return <>{model.path ? <code class="path">{model.path}</code> : "Not on disk"}</>;
  return (
    <>A <em>{model.method}</em> merge of{" "}
      {model.parents.map((parent, index) => (
        <span key={parent.name}>{index > 0 && (index === model.parents.length - 1 ? " and " : ", ")}{parent.known ? <a href={modelUrl(parent.name)}>{parent.label}</a> : parent.label}</span>
      ))}
      {model.origin === "preview" ? ", not saved" : ""}
    </>
  );
}

function factsOf(model: ModelDetails, live: Model) {
  if (live.state === "broken") return [{ term: "On disk", value: bytes(model.bytes) }, { term: "State", value: <StateMark state="broken" /> }];
  const served = model.context_served, trained = model.context_trained;
  return [
    { term: "Task", value: model.task === "text-generation" ? "Text generation" : model.task ?? "none" },
    { term: "Size", value: <span class="figure">{model.size ?? "–"}</span>, note: model.bytes == null ? "" : bytes(model.bytes), title: `${count(model.parameters)} parameters` },
    { term: "Weights", value: <span class="figure">{model.weights_type ?? "–"}</span> },
    { term: "Context", value: <span class="figure">{count(trained)}</span>, note: served !== trained && served != null ? `${count(served)} served` : "trained and served" },
    { term: "Architecture", value: model.architecture?.replace(/ForCausalLM$/, "") ?? "–", note: model.layers ? `${model.layers} layers` : "", title: model.architecture ?? undefined },
    { term: model.published ? "Published" : "Created", value: date(model.published ?? model.created), title: dateTime(model.published ?? model.created) },
    { term: "License", value: model.license ?? "unknown" },
    { term: "Concurrency cost", value: <><span class="figure">{model.concurrency_units ?? "–"}</span> {model.concurrency_units === 1 ? "unit" : "units"}</>, title: "1 unit up to 15B, 2 up to 34B, 4 above" },
    { term: "State", value: <ModelMark model={live} /> },
  ];
}

function LoadButton({ model }: { model: Model }): JSX.Element {
  const act = (what: "load" | "unload") => api[what](model.name).catch((cause) => complain(`\`${model.name}\` cannot be ${what}ed`, cause));
  if (model.state === "warm") return <button type="button" onClick={() => act("unload")}>Unload</button>;
  return <button type="button" disabled={model.state === "loading"} onClick={() => act("load")}>{model.state === "loading" ? "Loading…" : "Load"}</button>;
}

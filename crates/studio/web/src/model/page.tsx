import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { ModelDetails } from "../api/types";
import { Empty, Problem, Waiting } from "../parts/notice";
import { Tabs, type Tab } from "../parts/tabs";
import { setQuery, usePlace } from "../router";
import { modelsChanged } from "../stores/live";
import { useLoad } from "../stores/load";
import { useStore } from "../stores/store";
import { EvaluationsTab } from "./evaluations";
import { FilesTab } from "./files";
import { ModelHeader } from "./header";
import { MergeTab } from "./merge";
import { OverviewTab } from "./overview";
import { PreviewTab } from "./preview";
import { UseTab } from "./use";

type Id = "preview" | "overview" | "merge" | "files" | "evaluations" | "use";

function tabsOf(model: ModelDetails): Tab<Id>[] {
  const tabs: Tab<Id>[] = [
    { id: "preview", title: "Preview" }, { id: "overview", title: "Overview" }, { id: "merge", title: "Merge" },
    { id: "files", title: "Files" }, { id: "evaluations", title: "Evaluations" }, { id: "use", title: "Use it" },
  ];
  return tabs.filter((tab) => tab.id !== "files" || model.origin !== "preview");
}

export function ModelPage({ name }: { name: string }): JSX.Element {
  const { query } = usePlace();
  const changes = useStore(modelsChanged);
  const loaded = useLoad(() => api.model(name), [name]);
  useEffect(() => { if (changes) loaded.again(); }, [changes]);
  const model = loaded.value;
  if (loaded.error && !model) {
    return loaded.error.status === 404
      ? <><h1 tabIndex={-1}>Model not found</h1><Empty title={`There is no model named ${name}.`}><p>It may have been deleted or renamed, or it was an unsaved preview. <a href="/">All models</a></p></Empty></>
      : <><h1 tabIndex={-1}>{name}</h1><Problem error={loaded.error} again={loaded.again} /></>;
  }
  if (!model) return <><h1 tabIndex={-1} class="model-name">{name}</h1><Waiting what="Reading the model" /></>;
  const tabs = tabsOf(model);
  const wanted = query.get("tab") as Id | null;
  const chosen = tabs.find((tab) => tab.id === wanted)?.id ?? "preview";
  return (
    <>
      <ModelHeader model={model} />
      {model.state !== "broken" && (
        <Tabs label="About this model" tabs={tabs} chosen={chosen} choose={(id) => setQuery({ tab: id === "preview" ? null : id })}>
          {chosen === "preview" && <PreviewTab model={model} />}
          {chosen === "overview" && <OverviewTab model={model} />}
          {chosen === "merge" && <MergeTab model={model} />}
          {chosen === "files" && <FilesTab model={model} />}
          {chosen === "evaluations" && <EvaluationsTab model={model} />}
          {chosen === "use" && <UseTab model={model} />}
        </Tabs>
      )}
    </>
  );
}

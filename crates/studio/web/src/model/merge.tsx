import type { JSX } from "preact";
import { api } from "../api/client";
import type { ModelDetails } from "../api/types";
import { ExplanationView } from "../charts/explanation";
import { Code } from "../parts/code";
import { Empty, Problem, Waiting } from "../parts/notice";
import { useLoad } from "../stores/load";
import { Differences } from "./differences";

export function MergeTab({ model }: { model: ModelDetails }): JSX.Element {
  const loaded = useLoad(() => (model.recipe ? api.explanation(model.name) : Promise.resolve(null)), [model.name, model.recipe]);
  if (!model.recipe) {
    return (
      <Empty title="No recipe for this model.">
        <p>It was not merged here, and its folder contains no <code>mergekit_config.yml</code>. <a href="/new">Write a recipe</a> that uses it.</p>
      </Empty>
    );
  }
  return (
    <div class="merge">
      <div class="merge-main">
        {loaded.loading && !loaded.value && <Waiting what="Computing the curves" />}
        {loaded.error && <Problem error={loaded.error} again={loaded.again} />}
        {loaded.value && <ExplanationView explanation={loaded.value.explanation} />}
        {model.origin !== "preview" && <Differences model={model} />}
      </div>
      <aside class="margin">
        <Code text={model.recipe} language="yaml" title="Recipe" />
      </aside>
    </div>
  );
}

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { Empty, Problem } from "../parts/notice";
import { setQuery, usePlace } from "../router";
import { draft, writeRecipe } from "../stores/draft";
import { models } from "../stores/models";
import { mergeRecipe } from "../stores/runs";
import { useStore } from "../stores/store";
import { complain } from "../stores/toasts";
import { useCheck } from "./check";
import { EditorHost } from "./editor-host";
import { RecipeForm } from "./form";
import { Gallery } from "./gallery";
import { MergeBar } from "./merge-bar";
import { PlanView } from "./plan";
import { PreviewPane } from "./preview-pane";
import { ProblemCount, Problems } from "./problems";
import { firstPair, formOf, recipeOf, shapes } from "./start";

type Help = "form" | "gallery" | "none";

export function NewPage(): JSX.Element {
  const { query } = usePlace();
  const { recipe, preview } = useStore(draft);
  const list = useStore(models).list;
  const [help, setHelp] = useState<Help>(() => (recipe.trim() && !formOf(recipe) ? "none" : "form"));
  const [jump, setJump] = useState<{ to: number; again: number } | null>(null);
  const checked = useCheck(recipe);

  // A first visit begins with a recipe that can be merged, where there are two models for it.
  useEffect(() => {
    if (recipe || !list || query.get("from") || query.get("recipe")) return;
    const [first, second] = firstPair(list.models);
    if (first && second) writeRecipe(recipeOf({ first, second, method: "slerp", points: shapes.v }));
  }, [list]);
  useEffect(() => {
    const from = query.get("from"), id = query.get("recipe");
    if (!from && !id) return;
    const take = (text: string | undefined) => { if (text !== undefined && !formOf(text)) setHelp("none"); if (text !== undefined) draft.update((now) => ({ ...now, recipe: text, run: null })); setQuery({ from: null, recipe: null }); };
    if (from) api.run(Number(from)).then((run) => take(mergeRecipe(run) ?? undefined), (cause) => complain("Can’t load the run’s recipe", cause));
    else api.gallery().then((answer) => take(answer.recipes.find((one) => one.id === id)?.recipe), (cause) => complain("Can’t load the example", cause));
  }, [query]);

  const errors = checked.diagnostics.some((one) => one.severity === "error");
  const current = checked.of === recipe && !checked.checking && !checked.pending.length;
  const ready = current && !!checked.plan && !errors;
  const noPlan = !checked.plan && !checked.error;
  // Where there is no plan, what is wrong stands in its place: beside the recipe and in view.
  const inPlaceOfPlan = noPlan && recipe.trim() !== "";
  const problems = <Problems problems={checked.diagnostics} jump={(to) => setJump((now) => ({ to, again: (now?.again ?? 0) + 1 }))} />;
  const toggle = (which: Help) => setHelp((now) => (now === which ? "none" : which));
  return (
    <div class="new">
      <header class="head">
        <div><h1 tabIndex={-1}>New merge</h1></div>
        <div class="actions">
          <button type="button" aria-expanded={help === "form"} onClick={() => toggle("form")}>Form</button>
          <button type="button" aria-expanded={help === "gallery"} onClick={() => toggle("gallery")}>Examples</button>
        </div>
      </header>
      <div class="bench">
        <div class="bench-left">
          {help === "form" && <RecipeForm recipe={recipe} write={writeRecipe} />}
          {help === "gallery" && <Gallery take={(one) => { writeRecipe(one.recipe); setHelp("none"); }} />}
          <h2 class="unseen">Recipe</h2>
          <EditorHost text={recipe} change={writeRecipe} checked={checked.of} problems={checked.diagnostics} jump={jump} />
          <ProblemCount problems={checked.diagnostics} checking={checked.checking} pending={checked.pending} empty={!recipe.trim()} />
          {!inPlaceOfPlan && problems}
        </div>
        <div class="bench-right">
          <h2>Plan</h2>
          {checked.error && <Problem error={checked.error} />}
          {checked.plan && <PlanView plan={checked.plan} explanation={checked.explanation} old={!current} />}
          {noPlan && (
            recipe.trim()
              ? <Empty title={checked.checking ? "Reading the headers…" : checked.pending.length ? "Looking up on the Hub…" : "No plan while the recipe has errors."}>{!checked.checking && errors && <p>Click a problem to jump to it.</p>}</Empty>
              : <Empty title="Write a recipe, or start with an example."><p>The plan appears here, computed from the models’ headers.</p></Empty>
          )}
          {inPlaceOfPlan && problems}
        </div>
      </div>
      <PreviewPane recipe={recipe} ready={ready} />
      <MergeBar recipe={recipe} plan={checked.plan} ready={ready} follows={!preview && checked.diagnostics.length === 0} />
    </div>
  );
}

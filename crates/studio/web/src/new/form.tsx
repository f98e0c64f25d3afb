import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Choice } from "../parts/choice";
import { modelNamed, models } from "../stores/models";
import { useStore } from "../stores/store";
import { CurveDrawing } from "./drawing";
import { firstPair, formOf, recipeOf, shapeOf, shapes, type Form, type FormMethod, type Shape } from "./start";

const methods: { id: FormMethod; title: string }[] = [{ id: "slerp", title: "SLERP" }, { id: "linear", title: "Linear" }, { id: "nuslerp", title: "NuSLERP" }];

/** The common case: two models, a method and a curve. Each change writes the recipe. */
export function RecipeForm({ recipe, write }: { recipe: string; write: (recipe: string) => void }): JSX.Element {
  const list = useStore(models).list?.models ?? [];
  const [form, setForm] = useState<Form>(() => {
    const [first, second] = firstPair(list);
    return formOf(recipe) ?? { first, second, method: "slerp", points: shapes.v };
  });
  // A recipe that the form could have written, from elsewhere or typed, is the form's from then on.
  useEffect(() => {
    const read = recipe === written ? null : formOf(recipe);
    if (read) setForm(read);
  }, [recipe]);
  const [written, setWritten] = useState<string | null>(null);
  useEffect(() => {
    if (form.first || form.second || !list.length) return;
    const [first, second] = firstPair(list);
    setForm((now) => ({ ...now, first, second }));
  }, [list.length]);
  const change = (what: Partial<Form>) => {
    const next = { ...form, ...what };
    setForm(next);
    setWritten(recipeOf(next));
    write(recipeOf(next));
  };
  const foreign = recipe.trim() !== "" && recipe !== written && recipe !== recipeOf(form);
  const shape = shapeOf(form.points);
  const count = form.points.length;
  const first = useStore(models, modelNamed(form.first)), second = useStore(models, modelNamed(form.second));
  const unlike = first && second && (first.model_type !== second.model_type || first.parameters !== second.parameters);
  const names = list.filter((model) => model.state !== "broken" && model.origin !== "preview").map((model) => model.name);
  const picker = (label: string, key: "first" | "second") => (
    <label class="field"><span>{label}</span>
      <select value={form[key]} onChange={(event) => change({ [key]: event.currentTarget.value })}>
        {!names.includes(form[key]) && <option value={form[key]}>{form[key] || "choose a model"}</option>}
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  );
  const parameter = form.method === "slerp" ? "t" : `weight of ${label(form.second)}`;
  return (
    <div class="form">
      <div class="row">
        {picker("First model", "first")}
        <button type="button" class="quiet swap" aria-label="Swap models" onClick={() => change({ first: form.second, second: form.first })}>⇄</button>
        {picker("Second model", "second")}
      </div>
      {unlike && <p class="aside">These two are of different shapes; most methods need the same.</p>}
      <div class="row">
        <Choice label="Method" options={methods} value={form.method} set={(method) => change({ method })} />
        <Choice<Shape> label="Curve" options={[{ id: "v", title: "V" }, { id: "linear", title: "Linear" }, { id: "constant", title: "Constant" }]}
          value={shape ?? ("" as Shape)} set={(next) => change({ points: shapes[next] })} />
        <fieldset class="choice stepper">
          <legend>Points</legend>
          <button type="button" aria-label="Remove a point" disabled={count <= 1} onClick={() => change({ points: resampled(form.points, count - 1) })}>−</button>
          <span class="figure" role="status">{count}</span>
          <button type="button" aria-label="Add a point" disabled={count >= 13} onClick={() => change({ points: resampled(form.points, count + 1) })}>+</button>
        </fieldset>
      </div>
      <CurveDrawing points={form.points} set={(points) => change({ points })} parameter={parameter} zero={`all ${label(form.first)}`} one={`all ${label(form.second)}`} />
      {foreign
        ? <p class="note">You edited the YAML by hand. Using the form will replace it. <button type="button" class="linklike" onClick={() => change({})}>Replace it now</button></p>
        : <p class="note">Drag the points, or reach them with Tab and move them with the arrow keys (Shift for hundredths).</p>}
    </div>
  );
}

const label = (name: string) => name.slice(name.lastIndexOf("/") + 1) || "?";

/** The same curve with another number of points. */
function resampled(points: number[], count: number): number[] {
  if (count === 1) return [points[Math.floor((points.length - 1) / 2)]!];
  if (points.length === 1) return Array.from({ length: count }, () => points[0]!);
  return Array.from({ length: count }, (_, index) => {
    const at = (index / (count - 1)) * (points.length - 1), low = Math.floor(at), high = Math.min(points.length - 1, low + 1);
    return Number((points[low]! + (points[high]! - points[low]!) * (at - low)).toFixed(3));
  });
}

import type { Model } from "../api/types";

export type Shape = "v" | "linear" | "constant";
export type FormMethod = "slerp" | "linear" | "nuslerp";
export type Form = { first: string; second: string; method: FormMethod; points: number[] };

export const shapes: Record<Shape, number[]> = { v: [0, 0.25, 0.5, 0.25, 0], linear: [0, 0.5, 1], constant: [0.5] };

/** Which of the common shapes a curve has. */
export function shapeOf(points: number[]): Shape | null {
  if (points.length === 1) return "constant";
  const rising = points.every((point, index) => index === 0 || point >= points[index - 1]!), falling = points.every((point, index) => index === 0 || point <= points[index - 1]!);
  const steps = points.slice(1).map((point, index) => point - points[index]!);
  if ((rising || falling) && steps.every((step) => Math.abs(step - steps[0]!) < 1e-6)) return "linear";
  const middle = (points.length - 1) / 2;
  const peak = points.indexOf(Math.max(...points)), valley = points.indexOf(Math.min(...points));
  return points.length >= 3 && (peak === middle || valley === middle) ? "v" : null;
}

const short = (value: number) => String(Number(value.toFixed(3)));
const list = (points: number[]) => (points.length === 1 ? short(points[0]!) : `[${points.map(short).join(", ")}]`);
/** A name as YAML takes it. */
const scalar = (name: string) => (/^[\w./][\w./@+ -]*$/.test(name) && !/^(true|false|yes|no|on|off|null|[\d._-]+)$/i.test(name) ? name : JSON.stringify(name));

/** The form as a recipe. */
export function recipeOf(form: Form): string {
  const first = scalar(form.first || "FIRST-MODEL"), second = scalar(form.second || "SECOND-MODEL");
  if (form.method === "slerp") {
    return `models:\n  - model: ${first}\n  - model: ${second}\nmerge_method: slerp\nbase_model: ${first}\ndtype: bfloat16\nparameters:\n  t: ${list(form.points)}\n`;
  }
  const rest = form.points.map((point) => 1 - point);
  return `models:\n  - model: ${first}\n    parameters:\n      weight: ${list(rest)}\n  - model: ${second}\n    parameters:\n      weight: ${list(form.points)}\nmerge_method: ${form.method}\ndtype: bfloat16\n`;
}

/** Two models that can be merged with each other: of the same shape, the tuned one first. */
export function firstPair(models: Model[]): [string, string] {
  const ready = models.filter((model) => model.state !== "broken" && model.origin !== "preview" && model.origin !== "made");
  for (const one of ready) {
    const other = ready.find((two) => two !== one && two.model_type === one.model_type && two.parameters === one.parameters);
    if (!other) continue;
    const tuned = (model: Model) => /instruct|chat|-it\b/i.test(model.name);
    return tuned(one) && !tuned(other) ? [one.name, other.name] : tuned(other) ? [other.name, one.name] : [one.name, other.name];
  }
  return [ready[0]?.name ?? "", ready[1]?.name ?? ""];
}

/** The form that writes this very recipe, if there is one. */
export function formOf(recipe: string): Form | null {
  const names = [...recipe.matchAll(/^ {2}- model: (.+)$/gm)].map((match) => unquoted(match[1]!));
  const method = /^merge_method: (slerp|linear|nuslerp)$/m.exec(recipe)?.[1] as FormMethod | undefined;
  const lists = [...recipe.matchAll(/^ +(?:t|weight): \[?([-\d., ]+)\]?$/gm)].map((match) => match[1]!.split(",").map(Number));
  const [first, second] = names, points = lists[lists.length - 1];
  if (names.length !== 2 || !first || !second || !method || !points) return null;
  const form = { first, second, method, points };
  return recipeOf(form) === recipe ? form : null;
}

function unquoted(text: string): string {
  try { return text.startsWith('"') ? JSON.parse(text) : text; } catch { return text; }
}

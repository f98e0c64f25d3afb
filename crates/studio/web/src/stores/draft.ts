import { isActive, runs } from "./runs";
import { createStore } from "./store";

/** The recipe that is being written. It outlives a visit to other pages and a reload of this tab. */
export type Draft = {
  recipe: string; name: string; nameIsMine: boolean; run: number | null;
  preview: { name: string; recipe: string } | null;
};
const key = "weightsmith.draft";
const empty: Draft = { recipe: "", name: "", nameIsMine: false, run: null, preview: null };

function remembered(): Draft {
  try { return { ...empty, ...JSON.parse(sessionStorage.getItem(key) ?? "{}") }; } catch { return empty; }
}

export const draft = createStore<Draft>(remembered());
draft.subscribe(() => {
  try { sessionStorage.setItem(key, JSON.stringify(draft.get())); } catch { /* not remembered then */ }
});

/** A run that goes on stays with the draft; one that ended, or that nobody knows any more, does not. */
function goingOn(id: number | null): number | null {
  const run = id === null ? null : runs.get().byId.get(id);
  return run && isActive(run) ? id : null;
}

/** Writes the recipe. A merge that ended was of the recipe before. */
export function writeRecipe(recipe: string): void {
  draft.update((now) => (now.recipe === recipe ? now : { ...now, recipe, run: goingOn(now.run) }));
}

/** Makes room for another merge: the recipe stays, a merge that ended is let go. */
export function beginAnother(): void {
  draft.update((now) => (goingOn(now.run) === now.run ? now : { ...now, run: null }));
}

/** A merge was started: its name is taken from now on. */
export function mergeStarted(run: number): void {
  draft.update((now) => ({ ...now, run, name: "", nameIsMine: false }));
}

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

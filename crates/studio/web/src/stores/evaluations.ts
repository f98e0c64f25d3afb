import type { DataKind } from "../api/types";
import { createStore, useStore } from "./store";

/** What is written in a model's evaluation form, and the run that was started with it. */
export type EvaluationDraft = { kind: DataKind; name: string; text: string; file: string; against: string[]; run: number | null };

/** By model: it outlives a visit to another tab, and stays until its run is done. */
export const evaluationDrafts = createStore<ReadonlyMap<string, EvaluationDraft>>(new Map());

export const useEvaluationDraft = (model: string): EvaluationDraft | null => useStore(evaluationDrafts, (all) => all.get(model) ?? null);

export function openDraft(model: string, parents: string[]): void {
  evaluationDrafts.update((all) => (all.has(model) ? all : new Map(all).set(model, { kind: "perplexity", name: "", text: "", file: "", against: parents, run: null })));
}
export function changeDraft(model: string, what: Partial<EvaluationDraft>): void {
  evaluationDrafts.update((all) => { const now = all.get(model); return now ? new Map(all).set(model, { ...now, ...what }) : all; });
}
export function closeDraft(model: string): void {
  evaluationDrafts.update((all) => { const rest = new Map(all); rest.delete(model); return rest; });
}

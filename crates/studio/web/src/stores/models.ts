import { api, ApiError } from "../api/client";
import type { Model, ModelList } from "../api/types";
import { createStore } from "./store";

type Models = { list: ModelList | null; error: ApiError | null };
export const models = createStore<Models>({ list: null, error: null });

let asked = 0;
/** Fetches the list; of several questions only the last one's answer counts. */
export async function fetchModels(): Promise<void> {
  const mine = ++asked;
  try {
    const list = await api.models();
    if (mine === asked) models.set({ list, error: null });
  } catch (error) {
    if (mine === asked) models.update((now) => ({ ...now, error: error as ApiError }));
  }
}

/** What changed about one model. */
export function patchModel(name: string, change: Partial<Model>): void {
  models.update((now) => {
    if (!now.list) return now;
    const list = now.list.models.map((model) => (model.name === name ? { ...model, ...change } : model));
    return { ...now, list: { ...now.list, models: list } };
  });
}

/** A model of the list, where it is known. */
export function modelNamed(name: string): (now: Models) => Model | null {
  return (now) => now.list?.models.find((model) => model.name === name) ?? null;
}

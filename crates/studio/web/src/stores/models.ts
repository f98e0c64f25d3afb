import { api, ApiError } from "../api/client";
import type { Model, ModelList } from "../api/types";
import { createStore } from "./store";

type Models = { list: ModelList | null; error: ApiError | null };
export const models = createStore<Models>({ list: null, error: null });

let asked = 0;
/** What was told of models while a list is on its way: the list may have been made before. What came after it is told too, so this lasts. */
let told: [name: string, change: Partial<Model>][] | null = null;

/** Fetches the list; of several questions only the last one's answer counts. */
export async function fetchModels(): Promise<void> {
  const mine = ++asked;
  told = [];
  try {
    const list = await api.models();
    if (mine !== asked) return;
    const news = (told ?? []).reduce((all, [name, change]) => patched(all, name, change), list.models);
    models.set({ list: { ...list, models: news }, error: null });
  } catch (error) {
    if (mine === asked) models.update((now) => ({ ...now, error: error as ApiError }));
  } finally {
    if (mine === asked) told = null;
  }
}

const patched = (list: Model[], name: string, change: Partial<Model>): Model[] => list.map((model) => (model.name === name ? { ...model, ...change } : model));

/** What changed about one model. */
export function patchModel(name: string, change: Partial<Model>): void {
  told?.push([name, change]);
  models.update((now) => (now.list ? { ...now, list: { ...now.list, models: patched(now.list.models, name, change) } } : now));
}

/** A model of the list, where it is known. */
export function modelNamed(name: string): (now: Models) => Model | null {
  return (now) => now.list?.models.find((model) => model.name === name) ?? null;
}

/** Why a model that can be read cannot be talked with, for want of a tokenizer for instance; nothing where it can. */
export function cannotSpeak(model: Model): string | null {
  if (model.state === "broken") return model.error ?? "can’t read its folder";
  if (model.task === null) return model.error ?? "text generation does not support its architecture";
  return model.state === "failed" && /tokenizer/i.test(model.error ?? "") ? model.error : null;
}

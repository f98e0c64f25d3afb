import type { Sampling } from "../api/chat";

export type Name = "temperature" | "top_p" | "top_k" | "min_p" | "repetition_penalty" | "max_tokens" | "seed";
export type Settings = { system: string } & Record<Name, string>;
export const firstSettings: Settings = { system: "", temperature: "", top_p: "", top_k: "", min_p: "", repetition_penalty: "", max_tokens: "", seed: "" };

export const controls: { name: Name; title: string; min: number; max: number; step: number; slides?: boolean }[] = [
  { name: "temperature", title: "Temperature", min: 0, max: 2, step: 0.05, slides: true },
  { name: "top_p", title: "Top-p", min: 0, max: 1, step: 0.01, slides: true },
  { name: "min_p", title: "Min-p", min: 0, max: 1, step: 0.01, slides: true },
  { name: "top_k", title: "Top-k", min: 0, max: 1000, step: 1 },
  { name: "repetition_penalty", title: "Repetition penalty", min: 0.5, max: 2, step: 0.01 },
  { name: "max_tokens", title: "Max tokens", min: 1, max: 131072, step: 1 },
  { name: "seed", title: "Seed", min: 0, max: 4294967295, step: 1 },
];

export const unset: Partial<Record<Name, string>> = { seed: "random", max_tokens: "server’s", min_p: "off" };

/** What of the settings is set; the rest is the model's own. */
export function samplingOf(settings: Settings): Sampling {
  const set: Sampling = {};
  for (const { name } of controls) {
    const value = settings[name].trim() === "" ? NaN : Number(settings[name]);
    if (Number.isFinite(value)) set[name] = value;
  }
  return set;
}

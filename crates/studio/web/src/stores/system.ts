import { api } from "../api/client";
import type { System } from "../api/types";
import { createStore } from "./store";

export const system = createStore<System | null>(null);
export const connection = createStore<"connecting" | "open" | "lost">("connecting");

export function fetchSystem(): Promise<void> {
  return api.system().then((value) => system.set(value), () => {});
}

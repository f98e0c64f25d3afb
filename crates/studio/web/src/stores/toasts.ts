import { ApiError } from "../api/client";
import { createStore } from "./store";

export type Toast = { id: number; tone: "plain" | "bad"; text: string; detail?: string | undefined; link?: { href: string; text: string } | undefined };

export const toasts = createStore<Toast[]>([]);
let next = 1;

/** Says something in passing. Bad news stays until it is closed. */
export function say(text: string, more: Partial<Omit<Toast, "id" | "text">> = {}): void {
  const toast: Toast = { id: next++, tone: "plain", text, ...more };
  toasts.update((all) => [...all.filter((other) => other.text !== text).slice(-3), toast]);
  if (toast.tone === "plain") setTimeout(() => dismiss(toast.id), 6000);
}

export function dismiss(id: number): void { toasts.update((all) => all.filter((toast) => toast.id !== id)); }

/** Says why something did not work. */
export function complain(what: string, cause: unknown): void {
  if ((cause as Error)?.name === "AbortError") return;
  if (cause instanceof ApiError && cause.status === 401) return;
  const hints = cause instanceof ApiError ? cause.hints : [];
  say(`${what}: ${(cause as Error)?.message ?? cause}`, { tone: "bad", detail: hints.join(" · ") || undefined });
}

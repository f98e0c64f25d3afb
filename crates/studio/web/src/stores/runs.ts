import { api, ApiError } from "../api/client";
import type { Evaluation, LogLine, MergeResult, Run } from "../api/types";
import { createStore } from "./store";

type Runs = { byId: Map<number, Run>; loaded: boolean; more: boolean; error: ApiError | null };
export const runs = createStore<Runs>({ byId: new Map(), loaded: false, more: false, error: null });
/** Log lines that arrived while the page is open. */
export const logs = createStore<Map<number, LogLine[]>>(new Map());

const keptLines = 2000;

/** The later of what was told of a run: an event may overtake the answer to a request. */
export function later(one: Run | null, other: Run | null): Run | null {
  return one && other ? (one.version > other.version ? one : other) : one ?? other;
}
/** Takes what is told of a run, unless something later is known; says whether it did. */
export function putRun(run: Run): boolean {
  const known = runs.get().byId.get(run.id) ?? null;
  if (later(known, run) === known) return false;
  runs.update((now) => ({ ...now, byId: new Map(now.byId).set(run.id, run) }));
  return true;
}
export function removeRun(id: number): void {
  runs.update((now) => { const byId = new Map(now.byId); byId.delete(id); return { ...now, byId }; });
}
export function addLog(run: number, line: LogLine): void {
  logs.update((now) => new Map(now).set(run, [...(now.get(run) ?? []), line].slice(-keptLines)));
}

/** Fetches the newest runs, or those before the oldest one known. */
export async function fetchRuns(more = false): Promise<void> {
  const known = [...runs.get().byId.values()];
  const before = more && known.length ? Math.min(...known.map((run) => run.id)) : undefined;
  const asked = Math.max(0, ...known.map((run) => run.version));
  try {
    const page = await api.runs({ limit: 100, ...(before === undefined ? {} : { before }) });
    runs.update((now) => {
      const byId = more ? new Map(now.byId) : new Map([...now.byId].filter(([, run]) => run.version > asked));
      for (const run of page.runs) byId.set(run.id, later(byId.get(run.id) ?? null, run)!);
      return { byId, loaded: true, more: page.more, error: null };
    });
  } catch (error) {
    runs.update((now) => ({ ...now, error: error as ApiError }));
  }
}

export const sortedRuns = (now: Runs): Run[] => [...now.byId.values()].sort((a, b) => b.id - a.id);
export const isActive = (run: Run): boolean => run.state === "running" || run.state === "queued";
/** A failed evaluation has nothing to go on from: it is run again. */
export const canResume = (run: Run): boolean => ["interrupted", "cancelled"].includes(run.state) || (run.state === "failed" && run.kind !== "evaluate");

/** The recipe of a merge. */
export const mergeRecipe = (run: Run): string | null => (run.request.kind === "merge" ? run.request.recipe || null : null);
/** What a merge made. */
export const made = (run: Run): MergeResult | null => (run.result && "report" in run.result ? run.result : null);
/** What an evaluation measured. */
export const measured = (run: Run): Evaluation | null => (run.result && "evaluation" in run.result ? run.result.evaluation : null);

import type { JSX } from "preact";
import type { Model, ModelState, RunState } from "../api/types";
import { cannotSpeak } from "../stores/models";

/** A state as a mark of its own shape, with its word. */
export function StateMark({ state, progress, title }: { state: ModelState | RunState | "silent"; progress?: number | null | undefined; title?: string | undefined }): JSX.Element {
  const share = state === "loading" || state === "running" ? progress ?? null : null;
  return (
    <span class={`state state-${state}`} title={title}>
      <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">{shape(state, share)}</svg>
      <span>{word(state)}{share !== null && <span class="figure"> {Math.floor(share * 100)}%</span>}</span>
    </span>
  );
}

const word = (state: string) => (state === "silent" ? "merge only" : state);

/** A model's state; of one that cannot be talked with, that and why. */
export function ModelMark({ model }: { model: Model }): JSX.Element {
  const silent = model.state === "broken" ? null : cannotSpeak(model);
  return silent === null ? <StateMark state={model.state} progress={model.progress} /> : <StateMark state="silent" title={silent} />;
}

function shape(state: string, share: number | null): JSX.Element {
  const round = 2 * Math.PI * 4.5;
  switch (state) {
    case "warm": case "done": return <circle cx="6" cy="6" r="4" fill="currentColor" />;
    case "loading": case "running": return (
      <><circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-opacity=".3" stroke-width="1.5" />
        <circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2" transform="rotate(-90 6 6)"
          stroke-dasharray={`${round * (share ?? 0.3)} ${round}`} /></>);
    case "failed": case "broken": return <path d="M2.5 2.5l7 7m0-7l-7 7" stroke="currentColor" stroke-width="1.8" />;
    case "interrupted": return <path d="M4 2v8M8 2v8" stroke="currentColor" stroke-width="1.8" />;
    case "cancelled": case "silent": return <path d="M2 6h8" stroke="currentColor" stroke-width="1.8" />;
    case "queued": return <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 2" />;
    default: return <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.4" />;
  }
}

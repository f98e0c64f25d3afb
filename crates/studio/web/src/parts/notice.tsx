import type { ComponentChildren, JSX } from "preact";
import { said } from "./ticks";

/** What went wrong, with the server's hints. */
export function Problem({ error, again }: { error: { message: string; hints: string[] }; again?: () => void }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>{said(error.message)}</p>
      {error.hints.map((hint) => <p class="hint" key={hint}>{said(hint)}</p>)}
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  );
}

/** Nothing is here yet, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty"><p class="empty-title">{title}</p>{children}</div>;
}

/** A place that is being filled. */
export function Waiting({ what }: { what: string }): JSX.Element {
  return <p class="waiting" role="status">{what}…</p>;
}

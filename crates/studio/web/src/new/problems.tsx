import type { JSX } from "preact";
import type { Diagnostic } from "../api/types";
import { plural } from "../format";
import { said } from "../parts/ticks";

/** How many problems the recipe has. */
export function ProblemCount({ problems, checking, pending, empty }: { problems: Diagnostic[]; checking: boolean; pending: string[]; empty: boolean }): JSX.Element {
  const asking = pending.length ? `Looking up on the Hub: ${pending.join(", ")}…` : "";
  const many = (["error", "warning", "note"] as const).flatMap((severity) => {
    const found = problems.filter((one) => one.severity === severity).length;
    return found ? [<span key={severity} class={`severity-${severity}`}><span class="severity">{plural(found, severity)}</span></span>] : [];
  });
  const quiet = checking ? "Checking…" : asking || "No problems";
  return <p class="problems-summary" role="status">{empty ? "" : many.length === 0 ? quiet : [asking, ...many].filter(Boolean).flatMap((part, index) => (index ? [", ", part] : [part]))}</p>;
}

/** All that is wrong with the recipe; each leads to its place. */
export function Problems({ problems, jump }: { problems: Diagnostic[]; jump: (to: number) => void }): JSX.Element | null {
  if (!problems.length) return null;
  return (
    <section class="problems" aria-label="Problems of the recipe">
      <ol>
        {problems.map((one, index) => (
          <li key={index} class={`severity-${one.severity}`}>
            <button type="button" disabled={!one.span} onClick={() => one.span && jump(one.span.start)}>
              <span class="place figure">{one.span ? `${one.span.line}:${one.span.column}` : ""}</span>
              <span><span class="severity">{one.severity}</span> {said(one.message)}{one.hints.map((hint) => <span class="hint" key={hint}>{said(hint)}</span>)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

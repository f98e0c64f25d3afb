import type { JSX } from "preact";
import type { Diagnostic } from "../api/types";
import { plural } from "../format";
import { said } from "../parts/sentence";

/** All that is wrong with the recipe; each leads to its place. */
export function Problems({ problems, checking, pending, empty, jump }: { problems: Diagnostic[]; checking: boolean; pending: string[]; empty: boolean; jump: (to: number) => void }): JSX.Element {
  const asking = pending.length ? `Asking the Hub about ${pending.join(", ")}…` : "";
  const many = (["error", "warning", "note"] as const).flatMap((severity) => {
    const found = problems.filter((one) => one.severity === severity).length;
    return found ? [<span key={severity} class={`severity-${severity}`}><span class="severity">{plural(found, severity)}</span></span>] : [];
  });
  const quiet = checking ? "Checking…" : asking || "No problems";
  return (
    <section class="problems" aria-label="Problems of the recipe">
      <p class="problems-summary" role="status">{empty ? "" : many.length === 0 ? quiet : [asking, ...many].filter(Boolean).flatMap((part, index) => (index ? [", ", part] : [part]))}</p>
      {problems.length > 0 && (
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
      )}
    </section>
  );
}

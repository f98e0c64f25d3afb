import type { JSX } from "preact";
import type { Diagnostic } from "../api/types";
import { plural } from "../format";
import { said } from "../parts/sentence";

/** All that is wrong with the recipe; each leads to its place. */
export function Problems({ problems, checking, pending, empty, jump }: { problems: Diagnostic[]; checking: boolean; pending: string[]; empty: boolean; jump: (to: number) => void }): JSX.Element {
  const many = (severity: Diagnostic["severity"]) => { const found = problems.filter((one) => one.severity === severity).length; return found ? plural(found, severity) : ""; };
  const errors = problems.some((one) => one.severity === "error");
  const asking = pending.length ? `Asking the Hub about ${pending.join(", ")}…` : "";
  const summary = empty ? "" : problems.length === 0 ? (checking ? "Checking…" : asking || "No problems") : [asking, many("error"), many("warning"), many("note")].filter(Boolean).join(", ");
  return (
    <section class="problems" aria-label="Problems of the recipe">
      <p class={`problems-summary ${errors ? "has-errors" : ""}`} role="status">{summary}</p>
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

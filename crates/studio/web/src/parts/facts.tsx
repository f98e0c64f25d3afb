import type { ComponentChildren, JSX } from "preact";

export type Fact = { term: string; value: ComponentChildren; note?: ComponentChildren; title?: string | undefined };

/** Terms and their values, between hairlines. */
export function Facts({ facts, kind = "" }: { facts: (Fact | null | false)[]; kind?: string }): JSX.Element {
  return (
    <dl class={`facts ${kind}`}>
      {facts.filter((fact) => !!fact).map((fact) => (
        <div key={fact.term} title={fact.title}>
          <dt>{fact.term}</dt>
          <dd>{fact.value}{fact.note && <span class="note"> {fact.note}</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

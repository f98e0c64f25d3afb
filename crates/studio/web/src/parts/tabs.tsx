import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";

export type Tab<I extends string> = { id: I; title: string; note?: string };

/** Tabs after the ARIA pattern: arrows, Home and End move; only the chosen one is in the tab order. */
export function Tabs<I extends string>(props: { label: string; tabs: Tab<I>[]; chosen: I; choose: (id: I) => void; children: ComponentChildren }): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  const keys = (event: KeyboardEvent) => {
    const at = props.tabs.findIndex((tab) => tab.id === props.chosen), last = props.tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    const tab = to === undefined ? undefined : props.tabs[to];
    if (!tab) return;
    event.preventDefault();
    props.choose(tab.id);
    bar.current?.querySelector<HTMLElement>(`#tab-${tab.id}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={props.label} ref={bar} onKeyDown={keys}>
        {props.tabs.map((tab) => (
          <button key={tab.id} type="button" role="tab" id={`tab-${tab.id}`} aria-selected={tab.id === props.chosen} aria-controls={`panel-${tab.id}`}
            tabIndex={tab.id === props.chosen ? 0 : -1} onClick={() => props.choose(tab.id)}>
            {tab.title}{tab.note && <span class="note"> {tab.note}</span>}
          </button>
        ))}
      </div>
      <div class="panel" role="tabpanel" id={`panel-${props.chosen}`} aria-labelledby={`tab-${props.chosen}`} key={props.chosen}>{props.children}</div>
    </>
  );
}

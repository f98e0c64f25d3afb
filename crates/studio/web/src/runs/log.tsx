import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { LogLine } from "../api/types";
import { time } from "../format";
import { ticks } from "../parts/ticks";
import { logs } from "../stores/runs";
import { useStore } from "../stores/store";

/** A run's log: what the server kept and what has come since. It follows its end unless somebody reads further up. */
export function RunLog({ run, kept }: { run: number; kept: LogLine[] }): JSX.Element {
  const fresh = useStore(logs, (now) => now.get(run)) ?? [];
  const last = kept[kept.length - 1]?.at ?? 0;
  const seen = new Set(kept.map((line) => `${line.at} ${line.text}`));
  const lines = [...kept, ...fresh.filter((line) => line.at >= last && !seen.has(`${line.at} ${line.text}`))];
  const box = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  useEffect(() => { if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight; }, [lines.length]);
  if (!lines.length) return <p class="note">The log is empty.</p>;
  return (
    <ol class="log" ref={box} tabIndex={0} aria-label="Log"
      onScroll={(event) => { const list = event.currentTarget; atEnd.current = list.scrollTop + list.clientHeight > list.scrollHeight - 20; }}>
      {lines.map((line, index) => <li key={index}><time>{time(line.at)}</time><span>{ticks(line.text)}</span></li>)}
    </ol>
  );
}

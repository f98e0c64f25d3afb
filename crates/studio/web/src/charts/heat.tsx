import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { Difference, Distance } from "../api/types";
import { number, percent } from "../format";
import { useWidth } from "../parts/width";
import { LayerAxis } from "./axis";
import { inReadingOrder, rulerOf, shortKind } from "./layers";
import { heat } from "./palette";

export type Measure = "relative" | "cosine" | "changed";
const titles: Record<Measure, string> = { relative: "relative norm of the difference", cosine: "cosine", changed: "changed elements" };
export const shown = (measure: Measure, value: number | null | undefined): string =>
  value == null ? "–" : measure === "changed" ? percent(value) : measure === "cosine" ? value.toFixed(4) : number(value, 4);

/** How two models differ: a cell per layer and tensor kind. Darker is further apart. */
export function HeatMap({ difference, measure, range }: { difference: Difference; measure: Measure; range: [number, number] }): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<{ layer: number; kind: number } | null>(null);
  const id = useId();
  const { layers } = difference;
  const order = inReadingOrder(difference.kinds);
  const kinds = order.map((kind) => difference.kinds[kind]!);
  const cells = difference.cells.map((row) => order.map((kind) => row[kind] ?? null));
  const ruler = rulerOf(width, layers.length);
  const tall = 19;
  const height = kinds.length * tall + 20;
  const [low, high] = range;
  const share = (value: number) => (measure === "cosine" ? (high - value) : (value - low)) / (high - low || 1);
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], Home: [-layers.length, 0], End: [layers.length, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
    setAt((now) => (now ? { layer: within(now.layer + step[0]!, layers.length), kind: within(now.kind + step[1]!, kinds.length) } : { layer: 0, kind: 0 }));
  };
  const cell = at ? cells[at.layer]?.[at.kind] : null;
  return (
    <div ref={ref} class="chart heat">
      <svg width={width} height={height} role="img" aria-labelledby={id} aria-describedby={`${id}-keys`} tabIndex={0} onKeyDown={keys}
        onFocus={(event) => { if ((event.currentTarget as Element).matches(":focus-visible")) setAt((now) => now ?? { layer: 0, kind: 0 }); }} onBlur={() => setAt(null)} onPointerLeave={() => setAt(null)}>
        <title id={id}>{`${titles[measure]} to ${difference.against}, by layer and tensor kind`}</title>
        {kinds.map((kind, row) => (
          <g key={kind}>
            <text x={0} y={row * tall + 13}>{shortKind(kind)}</text>
            {layers.map((layer, column) => {
              const value = cells[column]?.[row]?.[measure];
              return <rect key={layer} x={ruler.x(column)} y={row * tall} width={ruler.column - (ruler.column > 5 ? 1 : 0.2)} height={tall - 1}
                class={value == null ? "missing" : ""} style={value == null ? {} : { fill: heat(share(value)) }} onPointerEnter={() => setAt({ layer: column, kind: row })} />;
            })}
          </g>
        ))}
        {at && <rect class="cursor" x={ruler.x(at.layer)} y={at.kind * tall} width={ruler.column - 1} height={tall - 1} />}
        <LayerAxis ruler={ruler} y={height - 20} />
      </svg>
      <div class="heat-foot">
        <span class="scale"><span class="figure">{shown(measure, measure === "cosine" ? high : low)}</span>
          <span class="scale-bar" aria-hidden="true">{Array.from({ length: 24 }, (_, step) => <i key={step} style={{ background: heat(step / 23) }} />)}</span>
          <span class="figure">{shown(measure, measure === "cosine" ? low : high)}</span> <span class="note">{titles[measure]}</span></span>
        <span class="unseen" id={`${id}-keys`}>Use the arrow keys to move through the cells.</span>
        <span class="readout" role="status">{at ? readout(layers[at.layer]!, kinds[at.kind]!, cell ?? null) : ""}</span>
      </div>
      <details class="numbers">
        <summary>As a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="differences as a table">
          <table class="grid">
            <thead><tr><th scope="col">layer</th>{kinds.map((kind) => <th scope="col" key={kind}>{shortKind(kind)}</th>)}</tr></thead>
            <tbody>
              {layers.map((layer, column) => (
                <tr key={layer}><th scope="row">{layer}</th>{kinds.map((kind, row) => <td key={kind}>{shown(measure, cells[column]?.[row]?.[measure])}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

/** The ends of the scale that several maps share: the same colour is the same distance in all of them. */
export function rangeOf(differences: Difference[], measure: Measure): [number, number] {
  const values = differences.flatMap((difference) => difference.cells.flat().map((cell) => cell?.[measure])).filter((value): value is number => value != null);
  if (!values.length) return [0, 1];
  const low = Math.min(...values), high = Math.max(...values);
  if (measure === "cosine") return [Math.min(low, 0.9999), 1];
  return measure === "changed" ? [0, 1] : [0, high || 1];
}

function readout(layer: string, kind: string, cell: Distance | null): string {
  const place = `layer ${layer} · ${shortKind(kind)}`;
  if (!cell) return `${place} · only in one model`;
  return `${place} · cosine ${shown("cosine", cell.cosine)} · relative ${shown("relative", cell.relative)} · changed ${shown("changed", cell.changed)}`;
}

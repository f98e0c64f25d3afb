import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { number } from "../format";
import { clip } from "./labels";
import { useWidth } from "../parts/width";
import { LayerAxis } from "./axis";
import { rulerOf } from "./layers";
import { lineInk } from "./palette";

export type Series = { name: string; values: number[]; ink?: string };

/** A parameter over the layers: a line with a dot per layer, named before its beginning. */
export function CurveChart(props: { title: string; series: Series[]; usual: [number, number] | null; height?: number }): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const height = props.height ?? 150;
  const layers = Math.max(1, ...props.series.map((series) => series.values.length));
  const named = props.series.length > 1;
  const ruler = rulerOf(width, layers);
  const all = props.series.flatMap((series) => series.values);
  const low = Math.min(props.usual?.[0] ?? 0, ...all), high = Math.max(props.usual?.[1] ?? 1, ...all);
  const y = (value: number) => 10 + (1 - (value - low) / (high - low || 1)) * (height - 34);
  const lines = [low, (low + high) / 2, high];
  const labels = spread(props.series.map((series) => y(series.values[0] ?? low)), 15, 10, height - 22);
  return (
    <div ref={ref} class="chart">
      <svg width={width} height={height} role="img" aria-labelledby={id}>
        <title id={id}>{props.title}</title>
        {lines.map((value) => (
          <g key={value} aria-hidden="true">
            <line class="rule" x1={ruler.left} x2={width} y1={y(value)} y2={y(value)} />
            <text class="figure" x={ruler.left - 8} y={y(value) + 4} text-anchor="end">{number(value, 2)}</text>
          </g>
        ))}
        {props.series.map((series, index) => (
          <g key={series.name} style={{ color: series.ink ?? (named ? lineInk(index) : "var(--ink)") }}>
            <polyline fill="none" stroke="currentColor" stroke-width="1.5" points={series.values.map((value, layer) => `${ruler.center(layer)},${y(value)}`).join(" ")} />
            {series.values.map((value, layer) => (
              <circle key={layer} cx={ruler.center(layer)} cy={y(value)} r={ruler.column > 14 ? 3.2 : 2} fill="var(--paper)" stroke="currentColor" stroke-width="1.6">
                <title>{`layer ${layer}: ${number(value)}`}</title>
              </circle>
            ))}
            {named && <text x={0} y={(labels[index] ?? 0) + 4} fill="currentColor">{clip(series.name, (ruler.left - 34) / 6.4)}<title>{series.name}</title></text>}
            {!named && ruler.column > 34 && series.values.map((value, layer) => (
              <text key={layer} class="figure value" x={ruler.center(layer)} y={value > (low + high) / 2 ? y(value) + 18 : y(value) - 9} text-anchor="middle">{number(value, 2)}</text>
            ))}
          </g>
        ))}
        <LayerAxis ruler={ruler} y={height - 18} />
      </svg>
      <div class="unseen"><table>
        <caption>{props.title}</caption>
        <thead><tr><th scope="col">layer</th>{props.series.map((series) => <th scope="col" key={series.name}>{series.name}</th>)}</tr></thead>
        <tbody>
          {Array.from({ length: layers }, (_, layer) => (
            <tr key={layer}><th scope="row">{layer}</th>{props.series.map((series) => <td key={series.name}>{series.values[layer] === undefined ? "" : number(series.values[layer]!)}</td>)}</tr>
          ))}
        </tbody>
      </table></div>
    </div>
  );
}


/** Moves labels apart so that none covers another. */
function spread(places: number[], apart: number, top: number, bottom: number): number[] {
  const order = places.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place);
  order.forEach((label, at) => { const above = order[at - 1]; if (above) label.place = Math.max(label.place, above.place + apart); });
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const label = order[at]!, below = order[at + 1];
    label.place = Math.max(top, Math.min(label.place, below ? below.place - apart : bottom));
  }
  const result = [...places];
  for (const label of order) result[label.index] = label.place;
  return result;
}

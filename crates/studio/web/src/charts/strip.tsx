import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { Explanation } from "../api/types";
import { percent, shortName } from "../format";
import { clip } from "./labels";
import { useWidth } from "../parts/width";
import { LayerAxis } from "./axis";
import { groupLabel, rulerOf } from "./layers";
import { ink } from "./palette";

type Row = { name: string; kinds: number; layers: (number[] | null)[] | null; whole: number[] | null };

/** Each parent's share, layer by layer, a strip per group of tensor kinds; tensors outside the layers have strips of one piece. */
export function ShareStrips({ explanation }: { explanation: Explanation }): JSX.Element | null {
  const [ref, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const shares = explanation.shares;
  if (!shares) return null;
  const names = explanation.models.map((model) => shortName(model.label));
  const ruler = rulerOf(width, explanation.layers);
  const rows: Row[] = [
    ...shares.groups.map((group) => ({ name: groupLabel(group, shares.groups.length), kinds: group.kinds.length, layers: group.layers, whole: null })),
    ...shares.outside.map((part) => ({ name: part.parts.map(shortPart).join(", "), kinds: part.tensors.length, layers: null, whole: part.shares })),
  ];
  const most = Math.max(1e-9, ...rows.flatMap((row) => (row.layers ?? [row.whole]).map((values) => sum(values ?? []))));
  const tall = rows.length > 6 ? 22 : 34, gap = 8;
  const height = rows.length * (tall + gap) + 20;
  const mixed = shares.layers.filter((layer) => layer !== null);
  const means = names.map((_, model) => mixed.reduce((total, layer) => total + (layer[model] ?? 0), 0) / Math.max(1, mixed.length));
  return (
    <div ref={ref} class="chart">
      <p class="legend">
        {names.map((name, index) => (
          <span key={index}><i style={{ background: ink(index) }} />{name} <span class="figure">{shares.fractions ? percent(means[index] ?? 0) : (means[index] ?? 0).toFixed(2)}</span></span>
        ))}
        <span class="note">mean over the layers</span>
      </p>
      <svg width={width} height={height} role="img" aria-labelledby={id}>
        <title id={id}>Share of each model, layer by layer</title>
        {rows.map((row, at) => {
          const top = at * (tall + gap);
          const cells = (row.layers ?? [row.whole]).map((values) => values ?? []);
          return (
            <g key={row.name + at}>
              <text x={0} y={top + tall / 2 + 4}>{clip(row.name, ruler.left / 6.9)}<title>{row.name}</title></text>
              {cells.map((values, layer) => {
                const x = row.layers ? ruler.x(layer) : ruler.x(0), w = row.layers ? ruler.column : width - ruler.left;
                return <Stack key={layer} x={x} y={top} width={w - (ruler.column > 5 ? 1.5 : 0.4)} height={tall} values={values} most={most}
                  title={(row.layers ? `layer ${layer}: ` : "") + names.map((name, model) => `${name} ${percent(values[model] ?? 0)}`).join(", ")} flat={!row.layers} />;
              })}
            </g>
          );
        })}
        <LayerAxis ruler={ruler} y={height - 20} />
      </svg>
      <div class="unseen"><table>
        <caption>Share of each model, layer by layer</caption>
        <thead><tr><th scope="col">tensors</th><th scope="col">layer</th>{names.map((name) => <th scope="col" key={name}>{name}</th>)}</tr></thead>
        <tbody>
          {rows.flatMap((row) => (row.layers ?? [row.whole]).map((values, layer) => (
            <tr key={row.name + layer}><th scope="row">{row.name}</th><td>{row.layers ? layer : ""}</td>{names.map((name, model) => <td key={name}>{percent(values?.[model] ?? 0)}</td>)}</tr>
          )))}
        </tbody>
      </table></div>
    </div>
  );
}

function Stack(props: { x: number; y: number; width: number; height: number; values: number[]; most: number; title: string; flat: boolean }): JSX.Element {
  let at = 0;
  return (
    <g>
      <title>{props.title}</title>
      {props.values.map((value, model) => {
        const size = Math.max(0, Math.abs(value) / props.most);
        const piece = props.flat
          ? { x: props.x + at * props.width, y: props.y + props.height / 4, width: size * props.width, height: props.height / 2 }
          : { x: props.x, y: props.y + at * props.height, width: props.width, height: size * props.height };
        at += size;
        return size > 0 ? <rect key={model} {...piece} style={{ fill: ink(model) }} /> : null;
      })}
    </g>
  );
}

const sum = (values: number[]) => values.reduce((total, value) => total + Math.abs(value), 0);
const shortPart = (part: string) => part.replace(/^final /, "").replace(/^output /, "");

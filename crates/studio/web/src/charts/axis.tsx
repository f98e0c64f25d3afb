import type { JSX } from "preact";
import type { Ruler } from "./layers";

/** The layers' numbers below a chart. */
export function LayerAxis({ ruler, y }: { ruler: Ruler; y: number }): JSX.Element {
  return (
    <g class="axis" aria-hidden="true">
      <text x={0} y={y + 14}>layer</text>
      {ruler.ticks.map((layer) => <text key={layer} x={ruler.center(layer)} y={y + 14} text-anchor="middle" class="figure">{layer}</text>)}
    </g>
  );
}

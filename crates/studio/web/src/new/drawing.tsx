import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { number } from "../format";
import { useWidth } from "../parts/width";

const height = 162, top = 16, bottom = 30, side = 34, inset = 16;
const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** A curve whose points are dragged, or moved with the arrow keys. */
export function CurveDrawing(props: { points: number[]; set: (points: number[]) => void; parameter: string; zero: string; one: string }): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>(480);
  const dragged = useRef<number | null>(null);
  const svg = useRef<SVGSVGElement>(null);
  const { points } = props;
  const single = points.length === 1;
  const x = (index: number) => (single ? width / 2 : side + inset + (index / (points.length - 1)) * (width - side - 2 * inset));
  // What lies beyond the chart is drawn at its edge, with its own figure.
  const y = (value: number) => top + (1 - clamp(value)) * (height - top - bottom);
  const move = (index: number, value: number, step: number) => {
    const rounded = clamp(Number((Math.round(value / step) * step).toFixed(3)));
    if (rounded !== points[index]) props.set(points.map((point, at) => (at === index ? rounded : point)));
  };
  const drag = (event: PointerEvent) => {
    if (dragged.current === null || !svg.current) return;
    const box = svg.current.getBoundingClientRect();
    move(dragged.current, 1 - (event.clientY - box.top - top) / (height - top - bottom), event.shiftKey ? 0.01 : 0.05);
  };
  const keys = (index: number) => (event: KeyboardEvent) => {
    const step = event.shiftKey ? 0.01 : 0.05, now = points[index]!;
    const to = { ArrowUp: now + step, ArrowRight: now + step, ArrowDown: now - step, ArrowLeft: now - step, PageUp: now + 0.25, PageDown: now - 0.25, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(index, to, 0.01);
  };
  const beyond = points.filter((point) => clamp(point) !== point).length;
  const place = (index: number) => (single ? "all layers" : index === 0 ? "first layer" : index === points.length - 1 ? "last layer" : `${Math.round((index / (points.length - 1)) * 100)}% of the depth`);
  return (
    <div class="drawing chart" ref={ref}>
      <p class="poles"><i class="parameter">{props.parameter}</i> from 0, {props.zero}, to 1, {props.one}</p>
      <svg ref={svg} width={width} height={height} role="group" aria-label={`Curve of ${props.parameter} over the layers`}
        onPointerMove={drag} onPointerUp={() => { dragged.current = null; }} onPointerCancel={() => { dragged.current = null; }}>
        {[0, 0.5, 1].map((value) => (
          <g key={value} aria-hidden="true"><line class="rule" x1={side} x2={width - 4} y1={y(value)} y2={y(value)} /><text class="figure" x={side - 8} y={y(value) + 4} text-anchor="end">{value}</text></g>
        ))}
        <g class="axis" aria-hidden="true"><text x={side} y={height - 8}>first layer</text><text x={width - 4} y={height - 8} text-anchor="end">last layer</text></g>
        <polyline class="drawn" fill="none" points={single ? `${side},${y(points[0]!)} ${width - 4},${y(points[0]!)}` : points.map((point, index) => `${x(index)},${y(point)}`).join(" ")} />
        {points.map((point, index) => (
          <g key={index} class={clamp(point) === point ? "handle" : "handle beyond"} role="slider" tabindex={0} aria-label={`${props.parameter}, ${place(index)}`} aria-valuemin={0} aria-valuemax={1} aria-valuenow={clamp(point)} aria-valuetext={clamp(point) === point ? undefined : `${number(point, 3)}, outside the chart`}
            aria-orientation="vertical" onKeyDown={keys(index)}
            onPointerDown={(event) => { dragged.current = index; svg.current?.setPointerCapture(event.pointerId); (event.currentTarget as SVGGElement).focus(); event.preventDefault(); }}>
            <circle class="reach" cx={x(index)} cy={y(point)} r={16} />
            <circle class="knob-dot" cx={x(index)} cy={y(point)} r={6} />
            <text class="figure value" x={x(index)} y={point > 0.9 ? y(point) + 22 : y(point) - 12} text-anchor="middle" aria-hidden="true">{number(point, 3)}</text>
          </g>
        ))}
      </svg>
      {beyond > 0 && <p class="warn" role="status">{beyond === 1 ? "One point is" : `${beyond} points are`} beyond 0–1; drawn at the edge.</p>}
    </div>
  );
}

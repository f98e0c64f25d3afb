/** The ruler that all charts over the layers share: labels on the left, one column per layer. */
export type Ruler = { width: number; left: number; right: number; column: number; x: (layer: number) => number; center: (layer: number) => number; ticks: number[] };

export function rulerOf(width: number, layers: number, right = 0): Ruler {
  const left = width < 520 ? 74 : 132;
  const column = Math.max(1, width - left - right) / Math.max(1, layers);
  const x = (layer: number) => left + layer * column;
  return { width, left, right, column, x, center: (layer) => x(layer) + column / 2, ticks: ticksOf(layers, column) };
}

function ticksOf(layers: number, column: number): number[] {
  const step = [1, 2, 4, 5, 8, 10, 20, 40].find((size) => size * column >= 26) ?? 40;
  const ticks: number[] = [];
  for (let layer = 0; layer < layers - 1; layer += step) ticks.push(layer);
  const last = layers - 1, before = ticks[ticks.length - 1];
  if (before !== undefined && (last - before) * column < 24 && before !== 0) ticks.pop();
  ticks.push(last);
  return ticks;
}

/** A tensor kind without what all of them have in common. */
export function shortKind(kind: string): string {
  return kind.replace(/^(self_attn|mlp|attention|feed_forward)\./, "").replace(/\.weight$/, "").replace(/_layernorm$/, "_norm");
}

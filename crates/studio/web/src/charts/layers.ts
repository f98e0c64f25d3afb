/** The ruler that all charts over the layers share: labels on the left, one column per layer. */
export type Ruler = { width: number; left: number; column: number; x: (layer: number) => number; center: (layer: number) => number; ticks: number[] };

export function rulerOf(width: number, layers: number): Ruler {
  const left = width < 520 ? 94 : 132;
  const column = Math.max(1, width - left) / Math.max(1, layers);
  const x = (layer: number) => left + layer * column;
  return { width, left, column, x, center: (layer) => x(layer) + column / 2, ticks: ticksOf(layers, column) };
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
  return kind.replace(/^(self_attn|mlp|attention|feed_forward)\./, "").replace(/\.weight$/, "").replace(/^post_attention_layernorm$/, "post_attn_norm").replace(/_layernorm$/, "_norm");
}

const reading = ["input_layernorm", "self_attn.q_", "self_attn.k_", "self_attn.v_", "self_attn.o_", "self_attn", "post_attention", "mlp.gate", "mlp.up", "mlp.down", "mlp"];

/** Positions of tensor kinds in the order in which a layer uses them: norm, attention, norm, MLP. */
export function inReadingOrder(kinds: string[]): number[] {
  const rank = (kind: string) => { const found = reading.findIndex((start) => kind.startsWith(start)); return found < 0 ? reading.length : found; };
  return kinds.map((_, index) => index).sort((a, b) => rank(kinds[a]!) - rank(kinds[b]!) || kinds[a]!.localeCompare(kinds[b]!));
}

/** What a group of tensor kinds is called beside a chart. */
export function groupLabel(group: { name: string; kinds: string[] }, groups: number): string {
  if (groups === 1) return "all kinds";
  if (group.kinds.every((kind) => /norm/.test(kind))) return "norms";
  return group.name.split(", ").map((name) => shortKind(name.replace(/\.\*$/, ""))).join(", ");
}

// Colours of charts are CSS variables, so that both themes have their own.

const inks = 6;
/** The colour of the n-th model or group. */
export const ink = (index: number): string => `var(--ink-${(index % inks) + 1})`;

/** The colour of the n-th line: others than the models' own first two, so that a line is not taken for a model. */
export const lineInk = (index: number): string => ink(index + 2);

/** A colour of the sequential scale: 0 is nothing, 1 is the most. Even steps look even: it is mixed in OKLab between four stops. */
export function heat(share: number): string {
  const at = Math.min(1, Math.max(0, share)) * 3, step = Math.min(2, Math.floor(at));
  const part = Math.round((at - step) * 1000) / 10;
  return `color-mix(in oklab, var(--heat-${step + 2}) ${part}%, var(--heat-${step + 1}))`;
}

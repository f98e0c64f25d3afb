export type DiffLine = { kind: "same" | "left" | "right"; text: string };

/** The lines that two texts share and those that only one has, by their longest common subsequence. */
export function differingLines(left: string, right: string): DiffLine[] {
  const a = left.trimEnd().split("\n"), b = right.trimEnd().split("\n");
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
  }
  const lines: DiffLine[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { lines.push({ kind: "same", text: a[i]! }); i += 1; j += 1; }
    else if (i < a.length && (j === b.length || table[i + 1]![j]! >= table[i]![j + 1]!)) { lines.push({ kind: "left", text: a[i]! }); i += 1; }
    else { lines.push({ kind: "right", text: b[j]! }); j += 1; }
  }
  return lines;
}

/** A name cut in its middle: what tells names apart is often their end. */
export function clipMiddle(text: string, letters: number): string {
  if (text.length <= letters) return text;
  const end = Math.max(3, Math.floor((letters - 1) * 0.55));
  return text.slice(0, Math.max(2, Math.floor(letters) - 1 - end)) + "…" + text.slice(-end);
}

/** A label cut to about so many letters. */
export const clip = (text: string, letters: number): string =>
  (text.length > letters ? text.slice(0, Math.max(3, Math.floor(letters) - 1)) + "…" : text);

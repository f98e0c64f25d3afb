/** A label cut to about so many letters. */
export const clip = (text: string, letters: number): string =>
  (text.length > letters ? text.slice(0, Math.max(3, Math.floor(letters) - 1)) + "…" : text);

/** The server's messages begin small, for the terminal; a page's sentences do not, unless they begin with a file, a URL or code. */
export function sentence(text: string): string {
  const first = /^\S*/.exec(text)![0].replace(/[.,:;!?]+$/, "");
  return /[^\p{L}'’-]|\p{Ll}\p{Lu}/u.test(first) ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
}

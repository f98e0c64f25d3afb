// A small part of Markdown, as a tree: what models write in answers. HTML, links and pictures stay the text that they are.

export type Inline = string | { kind: "code"; text: string } | { kind: "strong" | "emphasis"; inside: Inline[] };
export type Block =
  | { kind: "paragraph" | "heading"; inside: Inline[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "list"; first: number | null; items: Block[][] };

const deepest = 8;
const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)[^`]*$/;
const heading = /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const item = /^( {0,3}(?:([-*])|(\d{1,9})[.)]))(?:([ \t]+)(.*)|$)/;

/** Blocks of a text: paragraphs, headings, code and lists. */
export function blocksOf(text: string): Block[] {
  return parse(text.replace(/\r\n?/g, "\n").split("\n"), 0);
}

function parse(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const end = () => {
    if (paragraph.length) blocks.push({ kind: "paragraph", inside: inlines(paragraph.join("\n").trim()) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at]!;
    const opening = fence.exec(line), titled = heading.exec(line), listed = depth < deepest ? item.exec(line) : null;
    if (!line.trim()) { end(); at += 1; }
    else if (opening) { end(); at = code(lines, at, opening, blocks); }
    else if (titled) { end(); blocks.push({ kind: "heading", inside: inlines(titled[1]!) }); at += 1; }
    // In the middle of a paragraph, a line that begins with a year is no list.
    else if (listed && (!paragraph.length || (listed[5] && (listed[2] || listed[3] === "1")))) { end(); at = list(lines, at, blocks, depth); }
    else { paragraph.push(line); at += 1; }
  }
  end();
  return blocks;
}

/** A fenced block; one that is not closed yet goes to the end. */
function code(lines: string[], from: number, opening: RegExpExecArray, blocks: Block[]): number {
  const mark = opening[1]!;
  let at = from + 1;
  const closes = (line: string) => { const text = line.trim(); return text.length >= mark.length && text === mark[0]!.repeat(text.length); };
  while (at < lines.length && !closes(lines[at]!)) at += 1;
  blocks.push({ kind: "code", language: opening[2]!.toLowerCase(), text: lines.slice(from + 1, at).join("\n") });
  return at + 1;
}

function list(lines: string[], from: number, blocks: Block[], depth: number): number {
  const begin = item.exec(lines[from]!)!, isOrdered = begin[3] !== undefined;
  const items: Block[][] = [];
  let at = from;
  while (at < lines.length) {
    const match = item.exec(lines[at]!);
    if (!match || (match[3] !== undefined) !== isOrdered) break;
    const indent = match[1]!.length + 1;
    const own = [match[5] ?? ""], margin = new RegExp(`^[ \\t]{0,${indent}}`);
    at += 1;
    while (at < lines.length) {
      const next = filled(lines, at), line = lines[next];
      if (line === undefined) break;
      const isInside = /^\s/.test(line) && line.search(/\S/) >= Math.min(indent, 2);
      if (!isInside && (next > at || !lines[at - 1]!.trim() || item.test(line) || fence.test(line) || heading.test(line))) break;
      for (; at < next; at += 1) own.push("");
      own.push(isInside ? line.replace(margin, "") : line);
      at += 1;
    }
    items.push(parse(own, depth + 1));
    // Blank lines between items do not end a list.
    const ahead = filled(lines, at);
    if (ahead < lines.length && item.test(lines[ahead]!)) at = ahead;
  }
  blocks.push({ kind: "list", first: isOrdered ? Number(begin[3]) : null, items });
  return at;
}

/** The first line from a place on that is not blank. */
function filled(lines: string[], from: number): number {
  let at = from;
  while (at < lines.length && !lines[at]!.trim()) at += 1;
  return at;
}

const isWord = (letter: string | undefined) => letter !== undefined && /[\p{L}\p{N}_]/u.test(letter);

/** Code, bold and italic within a text. A mark without its partner is a letter like others. */
export function inlines(text: string, depth = 0): Inline[] {
  const parts: Inline[] = [];
  const missing = new Set<string>();
  let plain = "";
  const put = (part: Inline) => { if (plain) parts.push(plain); plain = ""; parts.push(part); };
  for (let at = 0; at < text.length;) {
    const letter = text[at]!;
    if (letter === "\\" && /[\\`*_#\-[\]()<>.!+]/.test(text[at + 1] ?? "")) { plain += text[at + 1]; at += 2; continue; }
    const mark = letter === "`" ? /^`+/.exec(text.slice(at, at + 8))![0] : (letter === "*" || letter === "_") ? (text[at + 1] === letter ? letter + letter : letter) : "";
    const close = mark && depth < deepest && !missing.has(mark) ? closing(text, at, mark) : -1;
    if (mark && close < 0) { if (close === none) missing.add(mark); plain += mark; at += mark.length; continue; }
    if (!mark) { plain += letter; at += 1; continue; }
    const inside = text.slice(at + mark.length, close);
    if (letter === "`") put({ kind: "code", text: inside.replace(/^ (.*\S.*) $/s, "$1") });
    else put({ kind: mark.length === 2 ? "strong" : "emphasis", inside: inlines(inside, depth + 1) });
    at = close + mark.length;
  }
  if (plain) parts.push(plain);
  return parts;
}

const none = -1, notHere = -2;

/** Where the mark at a place ends: `none` when no such mark follows at all, `notHere` when this one opens nothing. */
function closing(text: string, at: number, mark: string): number {
  const from = at + mark.length, isCode = mark[0] === "`";
  if (!isCode && (/\s/.test(text[from] ?? " ") || (mark[0] === "_" && isWord(text[at - 1])))) return notHere;
  for (let close = text.indexOf(mark, from + 1); close >= 0; close = text.indexOf(mark, close + 1)) {
    const before = text[close - 1]!, after = text[close + mark.length];
    // A longer run of the same letter is another mark; within bold, `***` ends both.
    if (isCode ? before === "`" || after === "`" : mark.length === 1 && (before === mark || after === mark)) { while (text[close + 1] === mark[0]) close += 1; continue; }
    if (!isCode && (/\s/.test(before) || before === "\\" || (mark[0] === "_" && isWord(after)))) continue;
    return mark.length === 2 && after === mark[0] ? close + 1 : close;
  }
  return none;
}

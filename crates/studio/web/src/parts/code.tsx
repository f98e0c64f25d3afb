import type { ComponentChildren, JSX } from "preact";
import { CopyButton } from "./copy";

type Kind = "comment" | "key" | "number" | "string";
const patterns: Record<string, RegExp> = {
  yaml: /(?<comment>(?:^|\s)#.*$)|(?<key>^[ \t]*(?:- )?[\w.-]+(?=:(?:\s|$)))|(?<string>"[^"]*"|'[^']*')|(?<number>(?<=[[\s,:])-?\d+(?:\.\d+)?(?=[\s,\]]|$))/gm,
  python: /(?<comment>#.*$)|(?<key>\b(?:from|import|for|in|def|return|print|True|False|None)\b)|(?<string>"[^"\n]*")/gm,
  sh: /(?<comment>(?:^|\s)#.*$)|(?<string>'[^']*'|"[^"]*")/gm,
};

/** Text with its comments, keys, texts and numbers marked. */
export function marked(text: string, language: string): ComponentChildren[] {
  const pattern = patterns[language === "bash" ? "sh" : language === "yml" ? "yaml" : language];
  if (!pattern) return [text];
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0] as Kind | undefined;
    parts.push(text.slice(at, match.index), <span class={`code-${kind}`}>{match[0]}</span>);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

/** A block of code with a button that copies it. */
export function Code({ text, language, title }: { text: string; language: string; title?: string }): JSX.Element {
  return (
    <figure class="code">
      <figcaption><span>{title ?? ""}</span><CopyButton text={text} what={title ?? "the code"} /></figcaption>
      <pre tabIndex={0} role="region" aria-label={title ?? "code"}><code>{marked(text.trimEnd(), language)}</code></pre>
    </figure>
  );
}

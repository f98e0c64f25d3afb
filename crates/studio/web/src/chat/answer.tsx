import type { ComponentChildren, JSX } from "preact";
import { Code } from "../parts/code";
import { blocksOf, type Block, type Inline } from "./markdown";

/** An answer's text with its paragraphs, lists and code. It is built of nodes; nothing of it is ever HTML. */
export function AnswerText({ text }: { text: string }): JSX.Element {
  return <>{blocksOf(text).map(block)}</>;
}

function block(one: Block, index: number): JSX.Element {
  switch (one.kind) {
    case "code": return <Code key={index} text={one.text} language={one.language} title={one.language || "Code"} />;
    case "heading": return <p key={index} class="answer-heading">{one.inside.map(inline)}</p>;
    case "list": {
      const items = one.items.map((blocks, at) => <li key={at}>{blocks.map((inside, place) => (inside.kind === "paragraph" && place === 0 ? inside.inside.map(inline) : block(inside, place)))}</li>);
      return one.first === null ? <ul key={index}>{items}</ul> : <ol key={index} start={one.first}>{items}</ol>;
    }
    default: return <p key={index}>{one.inside.map(inline)}</p>;
  }
}

function inline(one: Inline, index: number): ComponentChildren {
  if (typeof one === "string") return one;
  if (one.kind === "code") return <code key={index}>{one.text}</code>;
  const inside = one.inside.map(inline);
  return one.kind === "strong" ? <strong key={index}>{inside}</strong> : <em key={index}>{inside}</em>;
}

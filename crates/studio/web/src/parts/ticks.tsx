import type { ComponentChildren } from "preact";
import { sentence } from "./sentence";

/** Text of the server in which `names` stand between backticks. */
export function ticks(text: string): ComponentChildren[] {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

/** A message of the server as a sentence, with what stands between backticks as code. */
export const said = (text: string): ComponentChildren[] => ticks(sentence(text));

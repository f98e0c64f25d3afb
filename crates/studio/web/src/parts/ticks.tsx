import type { ComponentChildren } from "preact";

/** Text of the server in which `names` stand between backticks. */
export function ticks(text: string): ComponentChildren[] {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

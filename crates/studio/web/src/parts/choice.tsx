import type { JSX } from "preact";
import { useId } from "preact/hooks";

/** A few exclusive choices in a row. */
export function Choice<I extends string>(props: { label: string; options: { id: I; title: string }[]; value: I; set: (id: I) => void; hideLabel?: boolean }): JSX.Element {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class={props.hideLabel ? "unseen" : ""}>{props.label}</legend>
      {props.options.map((option) => (
        <label key={option.id}>
          <input type="radio" name={name} checked={option.id === props.value} onChange={() => props.set(option.id)} />
          <span>{option.title}</span>
        </label>
      ))}
    </fieldset>
  );
}

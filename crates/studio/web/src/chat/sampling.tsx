import type { ComponentChildren, JSX, TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import type { ModelDetails } from "../api/types";
import { controls, firstSettings, unset, type Name, type Settings } from "./settings";

export function SamplingPanel(props: { settings: Settings; set: (settings: Settings) => void; generation: ModelDetails["generation"]; closed: boolean; children: ComponentChildren }): JSX.Element {
  const { settings } = props;
  const [open, setOpen] = useState(() => !props.closed && matchMedia("(min-width: 1000px)").matches);
  const own = (name: Name): string => {
    const value = (props.generation as Record<string, number | null> | null)?.[name];
    return value == null ? unset[name] ?? "model’s" : String(value);
  };
  const put = (name: keyof Settings) => (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) => props.set({ ...settings, [name]: event.currentTarget.value });
  const changed = controls.some(({ name }) => settings[name] !== "");
  return (
    <aside class="sampling" aria-label="Chat settings">
      {props.children}
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Sampling and system prompt</summary>
        <label class="field"><span>System prompt</span><textarea rows={3} value={settings.system} placeholder="None" onInput={put("system")} /></label>
        <div class="knobs">
          {controls.map((control) => (
            <div class="knob" key={control.name}>
              <label for={`knob-${control.name}`}>{control.title}</label>
              <input id={`knob-${control.name}`} class="figure" type="number" min={control.min} max={control.max} step={control.step} placeholder={own(control.name)} value={settings[control.name]} onInput={put(control.name)} />
              {control.slides && <input type="range" aria-label={`${control.title}, as a slider`} min={control.min} max={control.max} step={control.step} class={settings[control.name] === "" ? "unset" : ""}
                value={settings[control.name] || (Number(own(control.name)) || (control.name === "min_p" ? 0 : 1))} onInput={put(control.name)} />}
            </div>
          ))}
        </div>
        {changed && <button type="button" class="quiet" onClick={() => props.set({ ...firstSettings, system: settings.system })}>Reset to the model’s value</button>}
      </details>
    </aside>
  );
}

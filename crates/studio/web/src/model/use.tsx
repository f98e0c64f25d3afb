import type { JSX } from "preact";
import { api } from "../api/client";
import type { ModelDetails } from "../api/types";
import { bytes } from "../format";
import { Code } from "../parts/code";
import { Problem } from "../parts/notice";
import { ticks } from "../parts/ticks";
import { useLoad } from "../stores/load";

const words = { passed: "passed", failed: "failed", warned: "warning" } as const;

export function UseTab({ model }: { model: ModelDetails }): JSX.Element {
  const host = useLoad(() => api.host(model.name), [model.name]);
  return (
    <div class="use">
      <div>{model.usage.map((one) => <Code key={one.title} text={one.code} language={one.language} title={one.title} />)}</div>
      <aside class="margin">
        <h2>{host.value ? (host.value.ready ? "Ready to host" : "Not ready to host") : "Ready to host?"}</h2>
        {host.error && <Problem error={host.error} again={host.again} />}
        {host.value && (
          <>
            <ul class="checks">
              {host.value.checks.map((check) => (
                <li key={check.name} class={`check check-${check.state}`}>
                  <span class="check-state">{words[check.state]}</span>
                  <div><p><span class="check-name">{check.name.replace(/_/g, " ")}</span> {ticks(check.message)}</p>{check.hint && <p class="hint">{ticks(check.hint)}</p>}</div>
                </li>
              ))}
            </ul>
            <h2>Weight memory</h2>
            <table class="grid"><tbody>{host.value.memory.map((one) => <tr key={one.bits}><th scope="row"><span class="figure">{one.bits}</span> bits</th><td class="num figure">{bytes(one.bytes)}</td></tr>)}</tbody></table>
          </>
        )}
      </aside>
    </div>
  );
}

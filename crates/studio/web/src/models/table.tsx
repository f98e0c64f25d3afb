import type { JSX } from "preact";
import type { Model } from "../api/types";
import { ago, context, count, dateTime } from "../format";
import { ModelMark } from "../parts/state";
import { said } from "../parts/ticks";
import { modelUrl } from "../router";

export function ModelTable({ models }: { models: Model[] }): JSX.Element {
  return (
    <table class="models">
      <caption class="unseen">Models</caption>
      <thead>
        <tr><th scope="col">Model</th><th scope="col">Architecture</th><th scope="col" class="num">Size</th><th scope="col">Weights</th><th scope="col" class="num">Context</th><th scope="col">Updated</th><th scope="col">State</th></tr>
      </thead>
      <tbody>{models.map((model) => <Row key={model.name} model={model} />)}</tbody>
    </table>
  );
}

function Row({ model }: { model: Model }): JSX.Element {
  const slash = model.name.lastIndexOf("/") + 1;
  return (
    <tr class={model.state === "broken" ? "broken" : ""}>
      <th scope="row">
        <a href={modelUrl(model.name)}>{slash > 0 && <span class="org">{model.name.slice(0, slash)}</span>}{model.name.slice(slash)}</a>
        <Lineage model={model} />
      </th>
      {model.state === "broken" ? (
        <td colSpan={5} class="why">{said(model.error ?? "can’t read the folder")}</td>
      ) : (
        <>
          <td class="arch">{model.architecture?.replace(/ForCausalLM$/, "") ?? "–"}<span class="faint">{model.architecture?.endsWith("ForCausalLM") ? "ForCausalLM" : ""}</span></td>
          <td class="num figure" title={model.parameters == null ? undefined : `${count(model.parameters)} parameters`}>{model.size ?? "–"}</td>
          <td class="figure">{model.weights_type ?? "–"}</td>
          <td class="num figure" title={`${count(model.context_trained)} tokens`}>{context(model.context_trained)}</td>
          <td class="when" title={dateTime(model.published ?? model.created)}>{ago(model.published ?? model.created)}</td>
        </>
      )}
      <td class="at"><ModelMark model={model} /></td>
    </tr>
  );
}

function Lineage({ model }: { model: Model }): JSX.Element | null {
  if (model.parents.length) {
    return (
      <span class="lineage">
        <em>{model.method}</em> of{" "}
        {model.parents.map((parent, index) => (
          <span key={parent.name}>{index > 0 && ", "}{parent.known ? <a href={modelUrl(parent.name)}>{parent.label}</a> : parent.label}</span>
        ))}
        {model.origin === "preview" && " · not saved"}
      </span>
    );
  }
  const from = { made: "merged here", folder: "folder", cache: "Hugging Face cache", given: "command line", preview: "not saved" }[model.origin];
  const place = (model.origin === "folder" || model.origin === "given") && model.path;
  return <span class="lineage" title={model.path ?? undefined}>{place ? <code>{place}</code> : from}{model.license ? ` · ${model.license}` : ""}</span>;
}

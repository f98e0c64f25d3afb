import type { JSX } from "preact";
import type { Explanation, ParameterValue } from "../api/types";
import { number, shortName } from "../format";
import { Facts } from "../parts/facts";
import { ticks } from "../parts/ticks";
import { CurveChart, type Series } from "./curve";
import { groupLabel } from "./layers";
import { ink } from "./palette";
import { ShareStrips } from "./strip";

type Parameter = Explanation["parameters"][number];

/** What a recipe does: in words, each parameter's curve, and each parent's share. */
export function ExplanationView({ explanation, small = false }: { explanation: Explanation; small?: boolean }): JSX.Element {
  const curves = explanation.parameters.filter((parameter) => isCurve(parameter));
  const constants = explanation.parameters.filter((parameter) => !isCurve(parameter));
  const Title = small ? "h3" : "h2";
  return (
    <div class="explanation">
      <section class="words">
        {!small && <Title>Summary</Title>}
        {explanation.words.map((text) => <p key={text}>{ticks(text)}</p>)}
      </section>
      {explanation.shares && <section><Title>Contribution by layer</Title><ShareStrips explanation={explanation} /></section>}
      {[...new Set(curves.map((parameter) => parameter.name))].map((name) => {
        const same = curves.filter((parameter) => parameter.name === name), first = same[0]!;
        return (
          <section key={name}>
            <Title><i class="parameter">{name}</i> <span class="note">{first.summary}</span></Title>
            <CurveChart title={`${name} over the layers`} usual={first.usual} height={small ? 130 : 160} series={same.flatMap((parameter) => seriesOf(parameter, explanation))} />
            {same.map((parameter) => <Outside key={title(parameter, explanation)} parameter={parameter} of={ofModel(parameter, explanation)} />)}
          </section>
        );
      })}
      {constants.length > 0 && (
        <section>
          <Title>{curves.length ? "Constant" : "Parameters"}</Title>
          <Facts kind="pairs" facts={constants.map((parameter) => ({ term: title(parameter, explanation), title: parameter.summary, value: <span class="figure">{constantText(parameter)}</span> }))} />
        </section>
      )}
    </div>
  );
}

const values = (parameter: Parameter): (ParameterValue | null)[] => [...parameter.groups.flatMap((group) => group.values), ...parameter.outside.map((part) => part.value)];
const isCurve = (parameter: Parameter): boolean => values(parameter).every((value) => typeof value === "number") && new Set(values(parameter)).size > 1;
const show = (value: ParameterValue | null): string => (typeof value === "number" ? number(value, 3) : String(value ?? "–"));
const constantText = (parameter: Parameter): string => [...new Set(values(parameter).map(show))].join(", ");

/** A line for each group of tensors; what belongs to a model has the model's colour and name. */
function seriesOf(parameter: Parameter, explanation: Explanation): Series[] {
  const model = parameter.source && explanation.models[parameter.source.model];
  return parameter.groups.map((group) => {
    const kinds = groupLabel(group, parameter.groups.length), values = group.values.map(Number);
    if (!model || !parameter.source) return { name: kinds, values };
    const name = shortName(model.label);
    return parameter.groups.length === 1 ? { name, values, ink: ink(parameter.source.model) } : { name: `${name}, ${kinds}`, values };
  });
}

function ofModel(parameter: Parameter, explanation: Explanation): string {
  const model = parameter.source && explanation.models[parameter.source.model];
  return model ? `of ${shortName(model.label)}` : "";
}
const title = (parameter: Parameter, explanation: Explanation): string => `${parameter.name} ${ofModel(parameter, explanation)}`.trim();

function Outside({ parameter, of }: { parameter: Parameter; of: string }): JSX.Element | null {
  if (!parameter.outside.length) return null;
  return <p class="note outside">Outside the layers{of && `, ${of}`}: {parameter.outside.map((part) => `${part.parts.join(" and ")} ${show(part.value)}`).join("; ")}</p>;
}

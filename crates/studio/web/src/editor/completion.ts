import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";

/** What a recipe can name. */
export type Known = {
  methods: { name: string; title: string; parameters: { name: string; summary: string; usual: [number, number] | null }[] }[];
  models: { name: string; detail: string }[];
};

const topKeys: [string, string][] = [
  ["models", "the models to merge"], ["slices", "layer ranges to assemble"], ["merge_method", "the merge method"],
  ["base_model", "the base model"], ["parameters", "the method's parameters"], ["dtype", "type of the output weights"],
  ["tokenizer_source", "the source of the tokenizer"], ["chat_template", "the source of the chat template"], ["out_dtype", "type of the output weights, if different from dtype"],
];
const dtypes = ["bfloat16", "float16", "float32"];

/** Offers keys, methods, parameters and models where each can stand. */
export function recipeCompletion(known: () => Known): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    if (/(^|\s)#/.test(before)) return null;
    const value = /^(\s*(?:- )?)([\w.]+):[ \t]+(\S*)$/.exec(before);
    if (value) return offer(context.pos - value[3]!.length, valuesOf(value[2]!, known()));
    const key = /^(\s*(?:- )?)([\w.]*)$/.exec(before);
    if (!key || (!key[2] && !context.explicit)) return null;
    const all = context.state.doc.toString();
    return offer(context.pos - key[2]!.length, keysAt(all.slice(0, line.from), key[1]!, /^merge_method:\s*(\w+)/m.exec(all)?.[1], known()));
  };
}

function offer(from: number, options: Completion[]): CompletionResult | null {
  return options.length ? { from, options, validFor: /^[\w./@-]*$/ } : null;
}

function valuesOf(key: string, known: Known): Completion[] {
  switch (key) {
    case "merge_method": return known.methods.map((method) => ({ label: method.name, detail: method.title, type: "function" }));
    case "model": case "base_model": return known.models.map((model) => ({ label: model.name, detail: model.detail, type: "class" }));
    case "dtype": case "out_dtype": return dtypes.map((label) => ({ label, type: "type" }));
    case "tokenizer_source": return [{ label: "base" }, { label: "union" }, ...known.models.map((model) => ({ label: model.name }))];
    case "normalize": case "rescale": case "int8_mask": return [{ label: "true" }, { label: "false" }];
    default: return [];
  }
}

/** The keys that fit under the parents of a line that begins with `indent`. */
function keysAt(above: string, indent: string, method: string | undefined, known: Known): Completion[] {
  const path = parentsOf(above, indent.length);
  const last = path[path.length - 1];
  const keys = (names: [string, string][]) => names.map(([label, detail]) => ({ label, detail, type: "property", apply: `${label}: ` }));
  if (last === undefined) return keys(topKeys);
  if (last === "parameters") {
    const named = known.methods.find((one) => one.name === method);
    const parameters = named ? named.parameters : known.methods.flatMap((one) => one.parameters);
    return [...new Map(parameters.map((one) => [one.name, one])).values()].map((one) => ({ label: one.name, detail: one.summary, type: "variable", apply: `${one.name}: ` }));
  }
  if (last === "models") return keys([["model", "its name or folder"], ["parameters", "for this model only"]]);
  if (last === "sources") return keys([["model", "its name or folder"], ["layer_range", "[first, end), end exclusive"], ["parameters", "for this model only"]]);
  if (last === "slices") return keys([["sources", "the models of this slice"], ["parameters", "for this slice only"]]);
  if (path.includes("parameters")) return keys([["filter", "part of the tensor names"], ["value", "their value"]]);
  return [];
}

function parentsOf(above: string, indent: number): string[] {
  const parents: string[] = [];
  let limit = indent;
  for (const line of above.split("\n").reverse()) {
    const found = /^(\s*(?:- )?)([\w.]+):\s*(?:#.*)?$/.exec(line);
    if (!found) continue;
    const own = found[1]!.length;
    if (own < limit || (own === limit && own === 0 && indent > 0)) { parents.unshift(found[2]!); limit = own; }
    if (limit === 0) break;
  }
  return parents;
}

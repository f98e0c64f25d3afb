import type { JSX, TargetedEvent } from "preact";
import type { Model } from "../api/types";
import { setQuery } from "../router";

export type Sort = "recent" | "name" | "size";
export type Filter = { text: string; origin: string; state: string; sort: Sort };
export const origins: Record<Model["origin"], string> = { made: "Merged here", folder: "Folders", cache: "Hugging Face cache", given: "Command line", preview: "Previews" };

export function readFilter(query: URLSearchParams): Filter {
  const sort = query.get("sort");
  return { text: query.get("q") ?? "", origin: query.get("origin") ?? "", state: query.get("state") ?? "", sort: sort === "name" || sort === "size" ? sort : "recent" };
}

/** Every word must occur in what is known of the model. */
export function passes(model: Model, filter: Filter): boolean {
  if (filter.origin && model.origin !== filter.origin) return false;
  if (filter.state && model.state !== filter.state) return false;
  const text = [model.name, model.architecture, model.model_type, model.weights_type, model.size, model.license, model.method, ...model.tags, ...model.parents.map((parent) => parent.name)].join(" ").toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

export function sorted(models: Model[], sort: Sort): Model[] {
  const by: Record<Sort, (a: Model, b: Model) => number> = {
    recent: (a, b) => (b.created ?? 0) - (a.created ?? 0) || a.name.localeCompare(b.name),
    name: (a, b) => a.name.localeCompare(b.name),
    size: (a, b) => (b.parameters ?? -1) - (a.parameters ?? -1) || a.name.localeCompare(b.name),
  };
  return [...models].sort(by[sort]);
}

export function Filters({ filter, models, shown }: { filter: Filter; models: Model[]; shown: number }): JSX.Element {
  const present = (key: "origin" | "state") => [...new Set(models.map((model) => model[key]))];
  const set = (key: string) => (event: TargetedEvent<HTMLSelectElement>) => setQuery({ [key]: event.currentTarget.value || null });
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="search"><span class="unseen">Search models</span>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="7" cy="7" r="4.6" fill="none" stroke="currentColor" stroke-width="1.4" /><path d="M10.5 10.5L14 14" stroke="currentColor" stroke-width="1.4" /></svg>
        <input type="search" placeholder="Name, architecture, method, parent…" value={filter.text} onInput={(event) => setQuery({ q: event.currentTarget.value || null })} />
      </label>
      <label class="inline"><span>From</span>
        <select value={filter.origin} onChange={set("origin")}>
          <option value="">anywhere</option>
          {present("origin").map((origin) => <option key={origin} value={origin}>{origins[origin as Model["origin"]]?.toLowerCase().replace("hugging face", "Hugging Face") ?? origin}</option>)}
        </select>
      </label>
      <label class="inline"><span>State</span>
        <select value={filter.state} onChange={set("state")}>
          <option value="">any</option>
          {present("state").map((state) => <option key={state} value={state}>{state}</option>)}
        </select>
      </label>
      <label class="inline"><span>Sort</span>
        <select value={filter.sort} onChange={(event) => setQuery({ sort: event.currentTarget.value === "recent" ? null : event.currentTarget.value })}>
          <option value="recent">newest first</option><option value="name">by name</option><option value="size">largest first</option>
        </select>
      </label>
      <span class="note" role="status">{shown === models.length ? "" : `${shown} of ${models.length}`}</span>
    </form>
  );
}

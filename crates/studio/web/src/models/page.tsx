import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { setQuery, usePlace } from "../router";
import { fetchModels, models } from "../stores/models";
import { useStore } from "../stores/store";
import { Empty, Problem, Waiting } from "../parts/notice";
import { ticks } from "../parts/ticks";
import { plural } from "../format";
import { Filters, passes, readFilter, sorted } from "./filters";
import { ModelTable } from "./table";
import { PullDialog } from "./pull";

export function ModelsPage(): JSX.Element {
  const { list, error } = useStore(models);
  const { query } = usePlace();
  const [pulling, setPulling] = useState(false);
  const filter = readFilter(query);
  const shown = useMemo(() => sorted((list?.models ?? []).filter((model) => passes(model, filter)), filter.sort), [list, query]);
  const bad = list?.folders.filter((folder) => folder.error) ?? [];
  const filtered = !!(filter.text || filter.origin || filter.state);
  return (
    <>
      <header class="head">
        <div>
          <h1 tabIndex={-1}>Models</h1>
          {list && <p class="lede">{summary(list.models)}</p>}
        </div>
        <div class="actions">
          <button type="button" onClick={() => setPulling(true)}>Pull from the Hub</button>
          <a class="button primary" href="/new">New merge</a>
        </div>
      </header>
      {error && !list && <Problem error={error} again={fetchModels} />}
      {!error && !list && <Waiting what="Looking for models" />}
      {bad.map((folder) => <p class="aside bad" key={folder.path}><code>{folder.path}</code> {ticks(folder.error!)}</p>)}
      {list && list.models.length > 0 && <Filters filter={filter} models={list.models} shown={shown.length} />}
      {list && list.models.length === 0 && (
        <Empty title="No models yet.">
          <p>Start the server with <code>--folder PATH</code> to add a folder of models, or <button type="button" class="linklike" onClick={() => setPulling(true)}>pull one from the Hub</button>. Models in the Hugging Face cache appear here automatically.</p>
        </Empty>
      )}
      {list && list.models.length > 0 && shown.length === 0 && (
        <Empty title="No models match.">
          {filtered && <p><button type="button" class="linklike" onClick={() => setQuery({ q: null, origin: null, state: null })}>Show all {list.models.length}</button></p>}
        </Empty>
      )}
      {shown.length > 0 && <ModelTable models={shown} />}
      {pulling && <PullDialog close={() => setPulling(false)} />}
    </>
  );
}

function summary(all: { origin: string; state: string }[]): string {
  const made = all.filter((model) => model.origin === "made").length, warm = all.filter((model) => model.state === "warm").length;
  const broken = all.filter((model) => model.state === "broken").length;
  return [plural(all.length, "model"), made && `${made} merged here`, warm && `${warm} warm`, broken && `${broken} cannot be read`].filter(Boolean).join(" · ");
}

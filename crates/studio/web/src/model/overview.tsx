import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { api } from "../api/client";
import type { ModelDetails } from "../api/types";
import { Empty, Problem, Waiting } from "../parts/notice";
import { Facts } from "../parts/facts";
import { count, shortName } from "../format";
import { useLoad } from "../stores/load";

/** Blocks that may be wider than the card can be reached and scrolled by keyboard. */
function Card({ html, names }: { html: string; names: string[] }): JSX.Element {
  const ref = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // The page has the model's name as its heading already.
    const title = ref.current?.firstElementChild;
    if (title?.tagName === "H1" && names.includes(title.textContent?.trim() ?? "")) (title as HTMLElement).hidden = true;
    for (const block of ref.current?.querySelectorAll<HTMLElement>("pre, table") ?? []) {
      if (block.scrollWidth <= block.clientWidth) continue;
      block.tabIndex = 0;
      if (block.tagName === "PRE") { block.setAttribute("role", "region"); block.setAttribute("aria-label", "Card source"); }
    }
  }, [html]);
  return <article class="card" ref={ref} dangerouslySetInnerHTML={{ __html: html }} />;
}

/** The model card. Its HTML was made and sanitised by the server; it is the only HTML that is put into the page. */
export function OverviewTab({ model }: { model: ModelDetails }): JSX.Element {
  const card = useLoad(() => (model.has_card ? api.card(model.name) : Promise.resolve(null)), [model.name, model.has_card]);
  return (
    <div class="overview">
      {card.loading && !card.value && <Waiting what="Reading the card" />}
      {card.error && <Problem error={card.error} again={card.again} />}
      {card.value && <Card html={card.value.html} names={[model.name, shortName(model.name)]} />}
      {!card.loading && !card.value && !card.error && (
        <Empty title="This model has no card."><p>A model card is the README.md in the model’s folder. Weightsmith writes one for every merge.</p></Empty>
      )}
      <aside class="margin">
        <h2>Shape</h2>
        <Facts facts={[
          { term: "Parameters", value: <span class="figure">{count(model.parameters)}</span> },
          { term: "Layers", value: <span class="figure">{count(model.layers)}</span> },
          { term: "Hidden size", value: <span class="figure">{count(model.hidden_size)}</span> },
          { term: "Attention heads", value: <span class="figure">{count(model.attention_heads)}</span>, note: model.key_value_heads !== model.attention_heads ? `${count(model.key_value_heads)} KV` : "" },
          { term: "Vocabulary", value: <span class="figure">{count(model.vocabulary)}</span>, note: model.tied_embeddings ? "tied embeddings" : "" },
          { term: "Chat template", value: model.chat_template ? "yes" : "none" },
        ]} />
        {model.tags.length > 0 && <><h2>Tags</h2><p class="tags">{model.tags.join(", ")}</p></>}
      </aside>
    </div>
  );
}

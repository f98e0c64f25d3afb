import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import { Chat } from "../chat/chat";
import { Problem } from "../parts/notice";
import { forgetConversation } from "../stores/chats";
import { useLoad } from "../stores/load";
import { draft } from "../stores/draft";
import { modelNamed, models } from "../stores/models";
import { useStore } from "../stores/store";

function drop(name: string): void {
  forgetConversation(name);
  api.dropPreview(name).catch(() => {});
}

/** Talks with the merge before it is written. */
export function PreviewPane({ recipe, ready }: { recipe: string; ready: boolean }): JSX.Element {
  const { preview } = useStore(draft);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const listed = useStore(models, modelNamed(preview?.name ?? ""));
  const own = useLoad(() => (preview ? api.model(preview.name) : Promise.resolve(null)), [preview?.name]);
  const model = listed ?? own.value;
  const open = async () => {
    setBusy(true);
    setError(null);
    try {
      const before = draft.get().preview;
      const made = await api.preview(recipe);
      models.update((now) => (now.list && !now.list.models.some((one) => one.name === made.name) ? { ...now, list: { ...now.list, models: [...now.list.models, made.model] } } : now));
      draft.update((now) => ({ ...now, preview: { name: made.name, recipe } }));
      if (before && before.name !== made.name) drop(before.name);
    } catch (cause) { setError(cause as ApiError); }
    setBusy(false);
  };
  const close = () => {
    if (preview) drop(preview.name);
    draft.update((now) => ({ ...now, preview: null }));
  };
  // A preview that the server has forgotten, after a restart for instance.
  useEffect(() => { if (own.error?.status === 404 && !listed && preview) { forgetConversation(preview.name); draft.update((now) => ({ ...now, preview: null })); } }, [own.error]);
  const old = preview !== null && preview.recipe !== recipe;
  return (
    <section class="preview-pane" aria-label="Preview">
      <div class="section-head">
        <h2>Preview</h2>
        {preview && model
          ? <div class="actions">{old && <button type="button" class="primary" disabled={!ready || busy} onClick={open}>Preview the changed recipe</button>}<button type="button" class="quiet" onClick={close}>Close the preview</button></div>
          : <button type="button" disabled={!ready || busy} onClick={open}>{busy ? "Preparing…" : "Talk to it"}</button>}
      </div>
      {error && <Problem error={error} />}
      {!preview && !error && <p class="note">The merge is computed in memory as the model is loaded; nothing is written.</p>}
      {preview && old && <p class="aside">The recipe has changed since; this is still <code>{preview.name}</code> as it was.</p>}
      {preview && model && <Chat key={preview.name} model={model} beside={model.parents.filter((parent) => parent.known)} generation={own.value?.generation ?? null} compact />}
    </section>
  );
}

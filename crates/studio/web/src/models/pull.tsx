import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import type { HubModel } from "../api/types";
import { count, date } from "../format";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/notice";
import { putRun } from "../stores/runs";
import { complain, say } from "../stores/toasts";

const exact = /^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/;

/** Finds a model of the Hub and downloads it. */
export function PullDialog({ close }: { close: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const [found, setFound] = useState<HubModel[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (text.trim().length < 2) { setFound(null); setError(null); return; }
    const control = new AbortController();
    const timer = setTimeout(() => {
      api.hub(text.trim().replace(/@.*$/, ""), control.signal).then(
        (answer) => { setFound(answer.models); setError(null); },
        (cause) => { if (cause.name !== "AbortError") { setError(cause); setFound(null); } },
      );
    }, 300);
    return () => { clearTimeout(timer); control.abort(); };
  }, [text]);
  const pull = async (model: string) => {
    try {
      const run = await api.start({ kind: "pull", model });
      putRun(run);
      say(`Pulling ${model}`, { link: { href: `/runs/${run.id}`, text: "View run" } });
      close();
    } catch (cause) { complain(`Can’t pull ${model}`, cause); }
  };
  const whole = exact.test(text.trim());
  return (
    <Dialog title="Pull a model from the Hub" close={close}>
      <form onSubmit={(event) => { event.preventDefault(); if (whole) void pull(text.trim()); }}>
        <label class="field"><span>Search, or enter a full name such as Qwen/Qwen2.5-0.5B@main</span>
          <input type="search" value={text} autofocus onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        {whole && <button type="submit" class="primary">Pull {text.trim()}</button>}
      </form>
      {error && <Problem error={error} />}
      <div role="status" class="unseen">{found ? `${found.length} found` : ""}</div>
      {found && found.length === 0 && <p class="note">No models found on the Hub.</p>}
      {found && found.length > 0 && (
        <ul class="hub">
          {found.map((model) => (
            <li key={model.name}>
              <div><span class="hub-name">{model.name}</span>
                <span class="note">{[`${count(model.downloads)} downloads`, `${count(model.likes)} likes`, model.license, model.updated && `changed ${date(model.updated)}`].filter(Boolean).join(" · ")}</span>
                {model.gated && <span class="note warn">gated: accept its terms on the Hub and set a token</span>}</div>
              <button type="button" onClick={() => pull(model.name)} aria-label={`Pull ${model.name}`}>Pull</button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

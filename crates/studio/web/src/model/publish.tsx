import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { ModelDetails } from "../api/types";
import { bytes } from "../format";
import { Dialog } from "../parts/dialog";
import { putRun } from "../stores/runs";
import { useStore } from "../stores/store";
import { system } from "../stores/system";
import { complain } from "../stores/toasts";
import { go } from "../router";

export function PublishDialog({ model, close }: { model: ModelDetails; close: () => void }): JSX.Element {
  const now = useStore(system);
  const [repository, setRepository] = useState("");
  const [visible, setVisible] = useState(false);
  const [message, setMessage] = useState("");
  const [busy, setBusy] = useState(false);
  const hindrance = now?.hub.offline ? "This server is offline." : now && !now.hub.logged_in ? "No token: set HF_TOKEN or run `hf auth login`, then restart the server." : "";
  const valid = repository.trim() === "" || /^[\w.-]+\/[\w.-]+$/.test(repository.trim());
  const publish = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const run = await api.start({ kind: "push", model: model.name, repository: repository.trim() || null, private: !visible, message: message.trim() || null });
      putRun(run);
      close();
      go(`/runs/${run.id}`);
    } catch (cause) { complain("Can’t publish the model", cause); setBusy(false); }
  };
  return (
    <Dialog title="Publish to the Hub" close={close}>
      <form onSubmit={publish}>
        {hindrance && <p class="aside bad">{hindrance}</p>}
        <p>{bytes(model.bytes)} go to {now?.hub.endpoint ?? "the Hub"}.{model.license ? "" : " The card has no license."}</p>
        <label class="field"><span>Repository</span><input value={repository} placeholder={`you/${model.name.split("/").pop()}`} aria-invalid={!valid} onInput={(event) => setRepository(event.currentTarget.value)} /></label>
        {!valid && <p class="field-problem" role="alert">Use the form ORG/NAME.</p>}
        <label class="field"><span>Message</span><input value={message} placeholder="Upload a model merged with Weightsmith" onInput={(event) => setMessage(event.currentTarget.value)} /></label>
        <label class="tick"><input type="checkbox" checked={visible} onChange={(event) => setVisible(event.currentTarget.checked)} /><span>Public</span></label>
        <div class="actions"><button type="submit" class="primary" disabled={busy || !!hindrance || !valid}>{visible ? "Publish as public" : "Publish as private"}</button></div>
      </form>
    </Dialog>
  );
}

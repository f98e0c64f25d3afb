import type { JSX } from "preact";
import { api } from "./api/client";
import { bytes } from "./format";
import { useStore } from "./stores/store";
import { system } from "./stores/system";

export function Footer(): JSX.Element {
  const now = useStore(system);
  const leave = async () => { await api.logout().catch(() => {}); location.assign("/login"); };
  return (
    <footer class="footer">
      {now && (
        <>
          <span>Weightsmith {now.version}</span>
          <span title={now.models_folder}>merges are saved to <code>{now.models_folder}</code></span>
          <span>{now.cores} cores · {bytes(now.memory_available)} of {bytes(now.memory_total)} memory free · {bytes(now.disk_free)} disk free</span>
          <span>Hub {now.hub.offline ? "offline" : now.hub.logged_in ? "signed in" : "no token"}</span>
          <a href="/openapi.json" target="_blank" rel="noopener">API</a>
          {now.needs_key && <button type="button" class="quiet" onClick={leave}>Sign out</button>}
        </>
      )}
    </footer>
  );
}

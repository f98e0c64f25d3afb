import type { JSX } from "preact";
import { useStore } from "./stores/store";
import { connection } from "./stores/system";

/** Says that the server is gone, for as long as it is. */
export function Disconnected(): JSX.Element {
  const now = useStore(connection);
  return (
    <div role="status" aria-live="polite" class={now === "lost" ? "banner" : ""}>
      {now === "lost" && (
        <>
          <span>Can’t reach the server. This page may be out of date. It reconnects automatically.</span>
          <button type="button" class="quiet" onClick={() => dispatchEvent(new Event("weightsmith:reconnect"))}>Try now</button>
        </>
      )}
    </div>
  );
}

import type { JSX } from "preact";
import { useStore } from "../stores/store";
import { dismiss, toasts } from "../stores/toasts";
import { said, ticks } from "./ticks";

export function Toasts(): JSX.Element {
  const all = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {all.map((toast) => (
        <div key={toast.id} class={`toast toast-${toast.tone}`}>
          <div>
            <p>{said(toast.text)}</p>
            {toast.detail && <p class="hint">{ticks(toast.detail)}</p>}
            {toast.link && <a href={toast.link.href} onClick={() => dismiss(toast.id)}>{toast.link.text}</a>}
          </div>
          <button type="button" class="quiet" onClick={() => dismiss(toast.id)} aria-label="Dismiss">Dismiss</button>
        </div>
      ))}
    </div>
  );
}

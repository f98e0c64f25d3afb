import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/** A modal dialog of the browser's own: it keeps the focus, Escape closes it. */
export function Dialog(props: { title: string; close: () => void; children: ComponentChildren }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => { dialog.close(); before?.focus?.(); };
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); props.close(); }}
      onClick={(event) => { if (event.target === ref.current) props.close(); }}>
      <div class="dialog-body">
        <header><h2 id={id}>{props.title}</h2><button type="button" class="quiet" onClick={props.close}>Close</button></header>
        {props.children}
      </div>
    </dialog>
  );
}

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Puts a text on the clipboard and says that it did. */
export function CopyButton({ text, what = "" }: { text: string; what?: string }): JSX.Element {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1800);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    try { await navigator.clipboard.writeText(text); } catch { copyBySelection(text); }
    setDone(true);
  };
  return (
    <button type="button" class="quiet" onClick={copy} aria-live="polite" aria-label={done ? "Copied" : `Copy${what ? " " + what : ""}`}>
      {done ? "Copied" : "Copy"}
    </button>
  );
}

function copyBySelection(text: string): void {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

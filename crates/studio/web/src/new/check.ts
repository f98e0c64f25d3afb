import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import type { Check } from "../api/types";

const pause = 220;
const nothing: Check = { diagnostics: [], plan: null, explanation: null };
export type Checked = Check & { of: string; error: ApiError | null; checking: boolean };

/** What the server says about a recipe, a moment after it changed. The last plan stays until there is another. */
export function useCheck(recipe: string): Checked {
  const [checked, setChecked] = useState<Checked>({ ...nothing, of: "", error: null, checking: false });
  useEffect(() => {
    if (!recipe.trim()) { setChecked({ ...nothing, of: recipe, error: null, checking: false }); return; }
    const control = new AbortController();
    setChecked((now) => ({ ...now, checking: true }));
    const timer = setTimeout(() => {
      api.check(recipe, control.signal).then(
        (check) => setChecked({ ...check, of: recipe, error: null, checking: false }),
        (cause) => {
          if (cause.name === "AbortError") return;
          const diagnostics = cause instanceof ApiError ? cause.diagnostics : [];
          setChecked((now) => ({ ...now, of: recipe, diagnostics, plan: null, explanation: null, error: diagnostics.length ? null : cause, checking: false }));
        },
      );
    }, pause);
    return () => { clearTimeout(timer); control.abort(); };
  }, [recipe]);
  return checked;
}

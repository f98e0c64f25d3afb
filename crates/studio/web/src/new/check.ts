import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../api/client";
import type { Check } from "../api/types";
import { modelsChanged } from "../stores/live";
import { useStore } from "../stores/store";

const pause = 220, lookUpAgain = 1000;
const nothing: Check = { diagnostics: [], plan: null, explanation: null, pending: [] };
export type Checked = Check & { of: string; error: ApiError | null; checking: boolean };
const empty: Checked = { ...nothing, of: "", error: null, checking: false };

/**
 * What the server says about a recipe, a moment after it changed. The last plan stays until there is another.
 * It asks again when the models change, and every second while the server waits for the Hub.
 */
export function useCheck(recipe: string): Checked {
  const [checked, setChecked] = useState<Checked>(empty);
  const changes = useStore(modelsChanged);
  useEffect(() => {
    if (!recipe.trim()) { setChecked({ ...empty, of: recipe }); return; }
    const control = new AbortController();
    let timer = 0;
    const ask = () => api.check(recipe, control.signal).then(
      (check) => {
        const { pending } = check;
        // While something is looked up there is no plan yet: the last one stays, marked as old.
        setChecked((now) => ({ ...check, ...(pending.length && !check.plan ? { plan: now.plan, explanation: now.explanation } : {}), of: recipe, error: null, checking: false }));
        if (pending.length) timer = window.setTimeout(ask, lookUpAgain);
      },
      (cause) => {
        if (cause.name === "AbortError") return;
        const diagnostics = cause instanceof ApiError ? cause.diagnostics : [];
        setChecked((now) => ({ ...now, of: recipe, diagnostics, plan: null, explanation: null, pending: [], error: diagnostics.length ? null : cause, checking: false }));
      },
    );
    setChecked((now) => (now.of === recipe ? now : { ...now, checking: true }));
    timer = window.setTimeout(ask, pause);
    return () => { clearTimeout(timer); control.abort(); };
  }, [recipe, changes]);
  return checked;
}

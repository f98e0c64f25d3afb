import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";

export type Loaded<A> = { value: A | null; error: ApiError | null; loading: boolean; again: () => void; set: (value: A) => void };

/** Loads something when a part of the page appears or `keys` change. Late answers to earlier questions are dropped. */
export function useLoad<A>(load: () => Promise<A>, keys: readonly unknown[]): Loaded<A> {
  const [state, setState] = useState<{ value: A | null; error: ApiError | null; loading: boolean }>({ value: null, error: null, loading: true });
  const question = useRef(0);
  const again = useCallback(() => {
    const mine = ++question.current;
    setState((now) => ({ ...now, loading: true }));
    load().then(
      (value) => { if (mine === question.current) setState({ value, error: null, loading: false }); },
      (cause) => {
        if (mine !== question.current) return;
        const error = cause instanceof ApiError ? cause : new ApiError(0, "unexpected", String(cause?.message ?? cause), [], []);
        setState({ value: null, error, loading: false });
      },
    );
  }, keys);
  useEffect(() => {
    setState({ value: null, error: null, loading: true });
    again();
    return () => { question.current += 1; };
  }, [again]);
  return { ...state, again, set: (value) => setState({ value, error: null, loading: false }) };
}

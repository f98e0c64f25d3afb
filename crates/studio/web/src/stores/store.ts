import { useEffect, useRef, useState } from "preact/hooks";

/** A value that parts of the page look at. */
export type Store<A> = { get(): A; set(next: A): void; update(change: (now: A) => A): void; subscribe(listener: () => void): () => void };

export function createStore<A>(first: A): Store<A> {
  let value = first;
  const listeners = new Set<() => void>();
  const set = (next: A) => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => value, set, update: (change) => set(change(value)),
    subscribe(listener) { listeners.add(listener); return () => listeners.delete(listener); },
  };
}

/** A store's value (or what `pick` takes of it), anew whenever it changes. */
export function useStore<A, B = A>(store: Store<A>, pick: (value: A) => B = (value) => value as unknown as B): B {
  const [, redraw] = useState(0);
  const value = pick(store.get());
  // What is picked can depend on what the part of the page shows now, and what was drawn last is what counts as seen.
  const latest = useRef({ pick, value });
  latest.current = { pick, value };
  useEffect(() => {
    const look = () => {
      if (!Object.is(latest.current.pick(store.get()), latest.current.value)) redraw((count) => count + 1);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}

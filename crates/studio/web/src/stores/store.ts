import { useEffect, useState } from "preact/hooks";

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
  useEffect(() => {
    let seen = value;
    const look = () => {
      const next = pick(store.get());
      if (Object.is(next, seen)) return;
      seen = next;
      redraw((count) => count + 1);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}

import { failure } from "./client";
import { streamEvents } from "./lines";
import type { ModelChange, Run, RunLine, ServerEvent } from "./types";

/** What the server tells while things happen. */
export type ServerEvents = {
  run: (run: Run) => void;
  model: (change: ModelChange) => void;
  models: () => void;
  log: (line: RunLine) => void;
  reset: () => void;
  connected: (yes: boolean) => void;
};

const firstWait = 500, longestWait = 8000, hiddenFor = 30_000;

/**
 * Listens to /api/events for as long as the page is open: reconnects with growing waits, goes on after the last event
 * that arrived, and lets go of the connection while the page is hidden (a browser has six for all pages of a server).
 */
export function listen(on: ServerEvents): () => void {
  let last: string | null = null, wait = firstWait, stopped = false;
  let connection: AbortController | null = null;
  let timer = 0, hiding = 0;

  const later = () => {
    if (stopped || document.hidden) return;
    clearTimeout(timer);
    timer = window.setTimeout(connect, wait);
    wait = Math.min(wait * 2, longestWait);
  };
  const connect = async () => {
    clearTimeout(timer);
    connection?.abort();
    const mine = connection = new AbortController();
    try {
      const answer = await fetch("/api/events", { signal: mine.signal, headers: last ? { "last-event-id": last } : {} });
      if (!answer.ok || !answer.body) throw await failure(answer);
      wait = firstWait;
      on.connected(true);
      for await (const event of streamEvents(answer.body)) {
        if (event.id) last = event.id;
        deliver(on, event.event, event.data);
      }
      throw new Error("the stream ended");
    } catch (problem) {
      if (stopped || mine.signal.aborted) return;
      if ((problem as { status?: number }).status === 401) return;
      on.connected(false);
      later();
    }
  };
  const seen = () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = window.setTimeout(() => { connection?.abort(); connection = null; }, hiddenFor);
    else if (!connection || connection.signal.aborted) { wait = firstWait; void connect(); }
  };
  const now = () => { wait = firstWait; void connect(); };
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("online", now);
  window.addEventListener("weightsmith:reconnect", now);
  void connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    connection?.abort();
    document.removeEventListener("visibilitychange", seen);
    window.removeEventListener("online", now);
    window.removeEventListener("weightsmith:reconnect", now);
  };
}

function deliver(on: ServerEvents, name: string, data: string): void {
  const told = { event: name, data: JSON.parse(data) } as ServerEvent;
  switch (told.event) {
    case "run": return on.run(told.data);
    case "log": return on.log(told.data);
    case "model": return on.model(told.data);
    case "models": return on.models();
    case "reset": return on.reset();
  }
}

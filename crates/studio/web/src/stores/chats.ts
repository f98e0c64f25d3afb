import { useEffect, useRef, useState } from "preact/hooks";
import { chat, type Message, type Sampling } from "../api/chat";
import { ApiError } from "../api/client";

export type Turn = {
  prompt: string; answer: string; state: "waiting" | "writing" | "done" | "stopped" | "failed";
  error: string; asked: number; first: number | null; ended: number | null; tokens: number; exact: boolean; cut: boolean;
};
export type Threads = Record<string, Turn[]>;

/** Conversations with several models on the same prompts. */
export function useChats(): { threads: Threads; busy: boolean; ask: (models: string[], prompt: string, system: string, sampling: Sampling) => void; stop: () => void; clear: () => void } {
  const [threads, setThreads] = useState<Threads>({});
  const running = useRef(new Set<AbortController>());
  const stop = () => { for (const control of running.current) control.abort(); };
  useEffect(() => stop, []);

  const change = (model: string, turn: number, what: (now: Turn) => Partial<Turn>) => setThreads((all) => {
    const turns = all[model];
    if (!turns?.[turn]) return all;
    return { ...all, [model]: turns.map((one, index) => (index === turn ? { ...one, ...what(one) } : one)) };
  });

  const one = async (model: string, before: Turn[], prompt: string, system: string, sampling: Sampling) => {
    const at = before.length, control = new AbortController();
    running.current.add(control);
    const messages: Message[] = [
      ...(system.trim() ? [{ role: "system" as const, content: system }] : []),
      ...before.filter((turn) => turn.answer).flatMap((turn) => [{ role: "user" as const, content: turn.prompt }, { role: "assistant" as const, content: turn.answer }]),
      { role: "user", content: prompt },
    ];
    // Pieces are gathered until the next frame: one drawing for many tokens.
    let gathered = "", pieces = 0, frame = 0;
    const flush = () => {
      frame = 0;
      const text = gathered, more = pieces, now = performance.now();
      gathered = ""; pieces = 0;
      if (text) change(model, at, (turn) => ({ answer: turn.answer + text, tokens: turn.tokens + more, state: "writing", first: turn.first ?? now, ended: now }));
    };
    try {
      const end = await chat(model, messages, sampling, control.signal, (text) => {
        gathered += text; pieces += 1;
        frame ||= document.hidden ? window.setTimeout(flush, 100) : requestAnimationFrame(flush);
      });
      flush();
      change(model, at, (turn) => ({ state: "done", ended: performance.now(), tokens: end.tokens ?? turn.tokens, exact: end.tokens !== null, cut: end.reason === "length" }));
    } catch (cause) {
      flush();
      const stopped = control.signal.aborted;
      const message = cause instanceof ApiError ? [cause.message, ...cause.hints].join(". ") : String((cause as Error)?.message ?? cause);
      change(model, at, () => ({ state: stopped ? "stopped" : "failed", error: stopped ? "" : message }));
    } finally {
      running.current.delete(control);
    }
  };

  const ask = (models: string[], prompt: string, system: string, sampling: Sampling) => {
    const turn = (): Turn => ({ prompt, answer: "", state: "waiting", error: "", asked: performance.now(), first: null, ended: null, tokens: 0, exact: false, cut: false });
    const next = { ...threads };
    for (const model of models) {
      const before = threads[model] ?? [];
      next[model] = [...before, turn()];
      void one(model, before, prompt, system, sampling);
    }
    setThreads(next);
  };

  const busy = Object.values(threads).some((turns) => turns.some((turn) => turn.state === "waiting" || turn.state === "writing"));
  return { threads, busy, ask, stop, clear: () => { stop(); setThreads({}); } };
}

const fewest = 5, shortest = 5;

/** Tokens per second after the first one; nothing where there were too few to tell. */
export function speed(turn: Turn): number | null {
  if (turn.first === null || turn.ended === null || turn.tokens < fewest || turn.ended - turn.first < shortest) return null;
  return (turn.tokens - 1) / ((turn.ended - turn.first) / 1000);
}

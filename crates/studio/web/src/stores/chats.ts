import { chat, type Message, type Sampling } from "../api/chat";
import { ApiError } from "../api/client";
import { firstSettings, type Settings } from "../chat/settings";
import { createStore } from "./store";

export type Turn = {
  prompt: string; answer: string; state: "waiting" | "writing" | "done" | "stopped" | "failed";
  error: string; asked: number; first: number | null; ended: number | null; tokens: number; exact: boolean; cut: boolean;
};
export type Threads = Record<string, Turn[]>;

/** What is on the screen of one model's preview: its own thread and those of models beside it. */
export type Conversation = { threads: Threads; others: string[]; prompt: string; settings: Settings };

const empty: Conversation = { threads: {}, others: [], prompt: "", settings: firstSettings };
/** Conversations by the model they are with. They live as long as the page, whichever part of it is shown; answers go on being written. */
export const conversations = createStore<ReadonlyMap<string, Conversation>>(new Map());
const running = new Map<string, Set<AbortController>>();

export const conversationWith = (model: string) => (now: ReadonlyMap<string, Conversation>): Conversation => now.get(model) ?? empty;

export function changeConversation(model: string, what: (now: Conversation) => Partial<Conversation>): void {
  conversations.update((all) => {
    const now = all.get(model) ?? empty;
    return new Map(all).set(model, { ...now, ...what(now) });
  });
}

export function stopAnswers(model: string): void {
  for (const control of running.get(model) ?? []) control.abort();
}

export function clearAnswers(model: string): void {
  stopAnswers(model);
  changeConversation(model, () => ({ threads: {} }));
}

/** A model that is gone is not talked with any more. */
export function forgetConversation(model: string): void {
  stopAnswers(model);
  conversations.update((all) => { const rest = new Map(all); rest.delete(model); return rest; });
}

export const isBusy = (one: Conversation): boolean => Object.values(one.threads).some((turns) => turns.some((turn) => turn.state === "waiting" || turn.state === "writing"));

/** Asks several models the same, each in its own thread of the conversation with `model`. */
export function ask(model: string, models: string[], prompt: string, sampling: Sampling): void {
  const { threads, settings } = conversationWith(model)(conversations.get());
  const next = { ...threads };
  for (const name of models) next[name] = [...(threads[name] ?? []), { prompt, answer: "", state: "waiting", error: "", asked: performance.now(), first: null, ended: null, tokens: 0, exact: false, cut: false }];
  changeConversation(model, () => ({ threads: next, prompt: "" }));
  for (const name of models) void answer(model, name, threads[name] ?? [], prompt, settings.system, sampling);
}

async function answer(conversation: string, model: string, before: Turn[], prompt: string, system: string, sampling: Sampling): Promise<void> {
  const control = new AbortController(), controls = running.get(conversation) ?? new Set();
  running.set(conversation, controls.add(control));
  let mine = conversationWith(conversation)(conversations.get()).threads[model]![before.length]!;
  // A conversation that was cleared meanwhile does not have this turn any more.
  const change = (what: Partial<Turn>) => {
    const turns = conversations.get().get(conversation)?.threads[model];
    if (!turns?.includes(mine)) return;
    const old = mine;
    mine = { ...old, ...what };
    changeConversation(conversation, ({ threads }) => ({ threads: { ...threads, [model]: turns.map((one) => (one === old ? mine : one)) } }));
  };
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
    if (text) change({ answer: mine.answer + text, tokens: mine.tokens + more, state: "writing", first: mine.first ?? now, ended: now });
  };
  try {
    const end = await chat(model, messages, sampling, control.signal, (text) => {
      gathered += text; pieces += 1;
      frame ||= document.hidden ? window.setTimeout(flush, 100) : requestAnimationFrame(flush);
    });
    flush();
    change({ state: "done", ended: performance.now(), tokens: end.tokens ?? mine.tokens, exact: end.tokens !== null, cut: end.reason === "length" });
  } catch (cause) {
    flush();
    const stopped = control.signal.aborted;
    const message = cause instanceof ApiError ? [cause.message, ...cause.hints].join(". ") : String((cause as Error)?.message ?? cause);
    change({ state: stopped ? "stopped" : "failed", error: stopped ? "" : message });
  } finally {
    controls.delete(control);
  }
}

const fewest = 5, shortest = 5;

/** Tokens per second after the first one; nothing where there were too few to tell. */
export function speed(turn: Turn): number | null {
  if (turn.first === null || turn.ended === null || turn.tokens < fewest || turn.ended - turn.first < shortest) return null;
  return (turn.tokens - 1) / ((turn.ended - turn.first) / 1000);
}

import { failure } from "./client";
import { streamEvents } from "./lines";

export type Message = { role: "system" | "user" | "assistant"; content: string };
export type Sampling = {
  temperature?: number; top_p?: number; top_k?: number; min_p?: number; repetition_penalty?: number;
  seed?: number; max_tokens?: number;
};
export type ChatEnd = { tokens: number | null; prompt: number | null; reason: string | null };

/** Streams an answer of `model`; `piece` gets the text as it comes. */
export async function chat(
  model: string, messages: Message[], sampling: Sampling, signal: AbortSignal, piece: (text: string) => void,
): Promise<ChatEnd> {
  const answer = await fetch("/v1/chat/completions", {
    method: "POST", signal, headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true }, ...sampling }),
  });
  if (!answer.ok || !answer.body) throw await failure(answer);
  const end: ChatEnd = { tokens: null, prompt: null, reason: null };
  for await (const event of streamEvents(answer.body)) {
    if (event.data === "[DONE]") break;
    const chunk = JSON.parse(event.data);
    if (chunk.error) throw new Error(chunk.error.message ?? "the answer ended early");
    const choice = chunk.choices?.[0];
    if (choice?.delta?.content) piece(choice.delta.content);
    if (choice?.finish_reason) end.reason = choice.finish_reason;
    if (chunk.usage) { end.tokens = chunk.usage.completion_tokens; end.prompt = chunk.usage.prompt_tokens; }
  }
  return end;
}

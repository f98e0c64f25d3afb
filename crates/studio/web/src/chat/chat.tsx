import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ModelDetails, Model } from "../api/types";
import { shortName } from "../format";
import { useChats } from "../stores/chats";
import { Column } from "./column";
import { firstSettings, SamplingPanel, samplingOf, type Settings } from "./sampling";

const openers = ["Who are you?", "Explain what a merged model is, in two sentences.", "What is 17 + 25?"];

/** Talks with a model, and with others beside it on the same prompts. */
export function Chat({ model, beside, generation = null, compact = false }: { model: Model; beside: { name: string; label: string }[]; generation?: ModelDetails["generation"]; compact?: boolean }): JSX.Element {
  const [settings, setSettings] = useState<Settings>(firstSettings);
  const [others, setOthers] = useState<string[]>([]);
  const [prompt, setPrompt] = useState("");
  const chats = useChats();
  const box = useRef<HTMLTextAreaElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const models = [model.name, ...others.filter((name) => beside.some((other) => other.name === name))];
  const begun = models.some((name) => chats.threads[name]?.length);

  const ask = (text: string) => {
    if (!text.trim() || chats.busy) return;
    chats.ask(models, text.trim(), settings.system, samplingOf(settings));
    setPrompt("");
    box.current?.focus();
  };
  // Follows the answer while its end is in view; somebody who reads further up is left alone.
  useEffect(() => {
    const mark = end.current;
    if (!mark || !chats.busy) return;
    const below = mark.getBoundingClientRect().top - innerHeight;
    if (below > -60 && below < 160) mark.scrollIntoView({ block: "nearest" });
  }, [chats.threads]);
  useEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(220, area.scrollHeight + 2)}px`;
  }, [prompt]);

  return (
    <div class="chat">
      <div class="chat-main">
        <div class="columns" data-columns={models.length}>
          {models.map((name) => (
            <Column key={name} name={name} title={name === model.name ? shortName(model.name) : beside.find((other) => other.name === name)?.label ?? name}
              turns={chats.threads[name] ?? []} alone={models.length === 1} first={name === model.name ? model : null} />
          ))}
        </div>
        {!begun && (
          <div class="openers">
            <p class="note">Ask something, or begin with</p>
            {openers.map((text) => <button type="button" key={text} class="linklike" onClick={() => ask(text)}>{text}</button>)}
          </div>
        )}
        <div ref={end} class="chat-end" />
        <form class="composer" onSubmit={(event) => { event.preventDefault(); ask(prompt); }}>
          <label class="unseen" for="prompt">Message</label>
          <textarea id="prompt" ref={box} rows={1} placeholder={models.length > 1 ? `Ask ${models.length} models the same` : `Ask ${shortName(model.name)}`} value={prompt}
            onInput={(event) => setPrompt(event.currentTarget.value)}
            onKeyDown={(event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(prompt); } }} />
          <div class="composer-foot">
            <span class="note">Enter sends, Shift + Enter breaks the line</span>
            {begun && <button type="button" class="quiet" onClick={chats.clear}>Clear</button>}
            {chats.busy ? <button type="button" class="primary" onClick={chats.stop}>Stop</button> : <button type="submit" class="primary" disabled={!prompt.trim()}>Send</button>}
          </div>
        </form>
      </div>
      <SamplingPanel settings={settings} set={setSettings} generation={generation} closed={compact}>
        {beside.length > 0 && (
          <fieldset class="beside">
            <legend>Compare with</legend>
            {beside.map((other) => (
              <label key={other.name} class="tick">
                <input type="checkbox" checked={others.includes(other.name)}
                  onChange={(event) => { const yes = event.currentTarget.checked; setOthers((now) => (yes ? [...now, other.name] : now.filter((name) => name !== other.name))); }} />
                <span>{other.label}</span>
              </label>
            ))}
          </fieldset>
        )}
      </SamplingPanel>
    </div>
  );
}

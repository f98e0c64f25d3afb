import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ModelDetails, Model } from "../api/types";
import { shortName } from "../format";
import { ask as askModels, changeConversation, clearAnswers, conversations, conversationWith, isBusy, stopAnswers } from "../stores/chats";
import { cannotSpeak, modelNamed, models as known } from "../stores/models";
import { useStore } from "../stores/store";
import { said } from "../parts/ticks";
import { Empty } from "../parts/notice";
import { Column } from "./column";
import { SamplingPanel } from "./sampling";
import { samplingOf } from "./settings";

const openers = ["Who are you?", "Explain what a merged model is, in two sentences.", "What is 17 + 25?"];

type Props = { model: Model; beside: { name: string; label: string }[]; generation?: ModelDetails["generation"]; compact?: boolean };

/** Talks with a model, and with others beside it on the same prompts; of a model that cannot speak it says why. */
export function Chat({ beside, ...rest }: Props): JSX.Element {
  const list = useStore(known);
  const silent = cannotSpeak(rest.model);
  if (silent !== null) return <Empty title="Chat isn’t available for this model."><p>{said(silent)}</p></Empty>;
  const speaking = beside.filter((other) => { const model = modelNamed(other.name)(list); return !model || cannotSpeak(model) === null; });
  return <Speaking {...rest} beside={speaking} />;
}

function Speaking({ model, beside, generation = null, compact = false }: Props): JSX.Element {
  const now = useStore(conversations, conversationWith(model.name));
  const { settings, others, prompt, threads } = now, busy = isBusy(now);
  const put = (what: Partial<typeof now>) => changeConversation(model.name, () => what);
  const box = useRef<HTMLTextAreaElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const models = [model.name, ...others.filter((name) => beside.some((other) => other.name === name))];
  const begun = models.some((name) => threads[name]?.length);

  const ask = (text: string) => {
    if (!text.trim() || busy) return;
    askModels(model.name, models, text.trim(), samplingOf(settings));
    box.current?.focus();
  };
  // Follows the answer while its end is in view; somebody who reads further up is left alone.
  useEffect(() => {
    const mark = end.current;
    if (!mark || !busy) return;
    const below = mark.getBoundingClientRect().top - innerHeight;
    if (below > -60 && below < 160) mark.scrollIntoView({ block: "nearest" });
  }, [threads]);
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
              turns={threads[name] ?? []} alone={models.length === 1} first={name === model.name ? model : null} />
          ))}
        </div>
        {!begun && (
          <div class="openers">
            <p class="note">Ask something, or start with</p>
            {openers.map((text) => <button type="button" key={text} class="linklike" onClick={() => ask(text)}>{text}</button>)}
          </div>
        )}
        <div ref={end} class="chat-end" />
        <form class="composer" onSubmit={(event) => { event.preventDefault(); ask(prompt); }}>
          <label class="unseen" for="prompt">Message</label>
          <textarea id="prompt" ref={box} rows={1} placeholder={models.length > 1 ? `Ask ${models.length} models` : `Ask ${shortName(model.name)}`} value={prompt}
            onInput={(event) => put({ prompt: event.currentTarget.value })}
            onKeyDown={(event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(prompt); } }} />
          <div class="composer-foot">
            <span class="note">Enter sends, Shift + Enter adds a line</span>
            {begun && <button type="button" class="quiet" onClick={() => clearAnswers(model.name)}>Clear</button>}
            {busy ? <button type="button" class="primary" onClick={() => stopAnswers(model.name)}>Stop</button> : <button type="submit" class="primary" disabled={!prompt.trim()}>Send</button>}
          </div>
        </form>
      </div>
      <SamplingPanel settings={settings} set={(next) => put({ settings: next })} generation={generation} closed={compact}>
        {beside.length > 0 && (
          <fieldset class="beside">
            <legend>Compare with</legend>
            {beside.map((other) => (
              <label key={other.name} class="tick">
                <input type="checkbox" checked={others.includes(other.name)}
                  onChange={(event) => { const yes = event.currentTarget.checked; put({ others: yes ? [...others, other.name] : others.filter((name) => name !== other.name) }); }} />
                <span>{other.label}</span>
              </label>
            ))}
          </fieldset>
        )}
      </SamplingPanel>
    </div>
  );
}

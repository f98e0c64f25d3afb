import type { JSX } from "preact";
import type { Model } from "../api/types";
import { duration, plural } from "../format";
import { Meter } from "../parts/meter";
import { said } from "../parts/ticks";
import { StateMark } from "../parts/state";
import { AnswerText } from "./answer";
import { speed, type Turn } from "../stores/chats";
import { modelNamed, models } from "../stores/models";
import { useStore } from "../stores/store";

/** One model's side of a conversation. */
export function Column({ name, title, turns, alone, first }: { name: string; title: string; turns: Turn[]; alone: boolean; first: Model | null }): JSX.Element {
  const model = useStore(models, modelNamed(name)) ?? first;
  return (
    <section class="column" aria-label={`Conversation with ${title}`}>
      {!alone && <header><h3>{title}</h3>{model && <StateMark state={model.state} progress={model.progress} />}</header>}
      {turns.map((turn, index) => (
        <article key={index} class={`turn turn-${turn.state}`}>
          <p class="prompt">{turn.prompt}</p>
          {turn.state === "waiting" ? <Cold model={model} /> : <div class="answer" aria-live={index === turns.length - 1 ? "polite" : "off"} aria-busy={turn.state === "writing"}><AnswerText text={turn.answer} /></div>}
          {turn.state === "failed" && <p class="turn-problem" role="alert">{said(turn.error)}</p>}
          <Measured turn={turn} />
        </article>
      ))}
    </section>
  );
}

function Cold({ model }: { model: Model | null }): JSX.Element {
  if (model && (model.state === "loading" || model.state === "cold")) {
    const share = model.state === "loading" ? model.progress : null;
    return (
      <div class="cold" role="status">
        <p>Loading preview… {share != null && <span class="figure">{Math.floor(share * 100)}%</span>}</p>
        <Meter label="Loading preview" share={share} />
      </div>
    );
  }
  return <p class="cold" role="status"><span class="caret" aria-hidden="true" /><span class="unseen">Waiting for the first token</span></p>;
}

function Measured({ turn }: { turn: Turn }): JSX.Element | null {
  if (turn.state === "waiting" || (turn.state === "failed" && !turn.answer)) return null;
  const rate = speed(turn);
  return (
    <p class="measured">
      {rate !== null && <><span class="figure">{rate.toFixed(rate < 10 ? 1 : 0)}</span> tokens/s · </>}
      <span class="figure">{plural(turn.tokens, "token")}</span>
      {turn.first !== null && <> · first token <span class="figure">{duration((turn.first - turn.asked) / 1000)}</span></>}
      {turn.state === "stopped" && <> · stopped</>}
      {turn.cut && <> · stopped at max tokens</>}
    </p>
  );
}

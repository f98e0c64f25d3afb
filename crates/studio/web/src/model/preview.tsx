import type { JSX } from "preact";
import type { ModelDetails } from "../api/types";
import { Chat } from "../chat/chat";
import { cannotSpeak, modelNamed, models } from "../stores/models";
import { useStore } from "../stores/store";

export function PreviewTab({ model }: { model: ModelDetails }): JSX.Element {
  const live = useStore(models, modelNamed(model.name)) ?? model;
  const parents = model.parents.filter((parent) => parent.known && parent.name !== model.name);
  return (
    <>
      {!model.chat_template && cannotSpeak(live) === null && <p class="aside">This model has no chat template. It completes your message as plain text.</p>}
      <Chat model={live} beside={parents} generation={model.generation} />
    </>
  );
}

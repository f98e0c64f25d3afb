import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Diagnostic } from "../api/types";
import type { Editor } from "../editor/editor";
import type { Known } from "../editor/completion";
import { Waiting } from "../parts/notice";
import { models } from "../stores/models";

type Loaded = { createEditor: typeof import("../editor/editor").createEditor };
const bundle = "/assets/editor.js";
let methods: Known["methods"] = [];

const known = (): Known => ({
  methods,
  models: (models.get().list?.models ?? []).filter((model) => model.state !== "broken" && model.origin !== "preview")
    .map((model) => ({ name: model.name, detail: [model.size, model.weights_type].filter(Boolean).join(" ") })),
});

/** The editor, loaded when it is first shown. Until then (or where it cannot be loaded) a plain text field does. */
export function EditorHost(props: { text: string; change: (text: string) => void; checked: string; problems: Diagnostic[]; jump: { to: number; again: number } | null }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");

  useEffect(() => {
    let gone = false;
    if (!methods.length) api.methods().then((answer) => { methods = answer.methods; }, () => {});
    (import(bundle) as Promise<Loaded>).then(({ createEditor }) => {
      if (gone || !place.current) return;
      editor.current = createEditor({
        parent: place.current, text: latest.current.text, label: "Recipe, in YAML", known,
        nonce: document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "",
        changed: (text) => latest.current.change(text),
      });
      editor.current.setProblems(latest.current.checked, latest.current.problems);
      setState("ready");
    }, () => setState("failed"));
    return () => { gone = true; editor.current?.destroy(); editor.current = null; };
  }, []);
  // In the same moment as the drawing: later, the editor could have gone on and would be set back to what it was.
  useLayoutEffect(() => editor.current?.setText(props.text), [props.text]);
  useEffect(() => editor.current?.setProblems(props.checked, props.problems), [props.checked, props.problems]);
  useEffect(() => { if (props.jump) editor.current?.show(props.jump.to); }, [props.jump]);

  return (
    <div class="editor">
      <div ref={place} class={state === "ready" ? "" : "hidden"} />
      {state === "loading" && <Waiting what="Loading the editor" />}
      {state === "failed" && <textarea class="mono" rows={18} aria-label="Recipe, in YAML" value={props.text} onInput={(event) => props.change(event.currentTarget.value)} />}
    </div>
  );
}

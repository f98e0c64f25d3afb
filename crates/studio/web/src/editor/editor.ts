// The recipe editor. It is a bundle of its own, loaded when a recipe is written; nothing of the page is in it.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState, Transaction } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { recipeCompletion, type Known } from "./completion";
import { colours, look } from "./look";
import { sentence } from "../parts/sentence";
import { utf16Offsets } from "./offsets";
import { ownInsertion } from "./insertion";

export type Mark = { severity: "error" | "warning" | "note"; message: string; hints: string[]; span: { start: number; end: number } | null };
export type Editor = {
  setText(text: string): void;
  setProblems(text: string, marks: Mark[]): void;
  show(start: number): void;
  destroy(): void;
};

/** Puts an editor into `parent`. `changed` hears of what is typed, not of `setText`. */
export function createEditor(options: { parent: HTMLElement; text: string; label: string; nonce: string; known: () => Known; changed: (text: string) => void }): Editor {
  let quiet = false;
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        EditorView.cspNonce.of(options.nonce),
        EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false", autocorrect: "off", autocapitalize: "off" }),
        ownInsertion, lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(), indentOnInput(), bracketMatching(), closeBrackets(),
        yaml(), syntaxHighlighting(colours), look, EditorView.lineWrapping,
        autocompletion({ override: [recipeCompletion(options.known)], icons: false }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.updateListener.of((update) => { if (update.docChanged && !quiet) options.changed(update.state.doc.toString()); }),
      ],
    }),
  });
  const text = () => view.state.doc.toString();
  return {
    setText(next) {
      const now = text();
      if (next === now) return;
      // Only what differs is replaced: the cursor stays where it is.
      let start = 0, endNow = now.length, endNext = next.length;
      while (start < endNow && start < endNext && now[start] === next[start]) start += 1;
      while (endNow > start && endNext > start && now[endNow - 1] === next[endNext - 1]) { endNow -= 1; endNext -= 1; }
      quiet = true;
      view.dispatch({ changes: { from: start, to: endNow, insert: next.slice(start, endNext) }, annotations: Transaction.userEvent.of("input.form") });
      quiet = false;
    },
    setProblems(of, marks) {
      if (of !== text()) return;
      const placed = marks.filter((mark) => mark.span);
      const offsets = utf16Offsets(of, placed.flatMap((mark) => [mark.span!.start, mark.span!.end]));
      const diagnostics: Diagnostic[] = placed.map((mark, index) => {
        const from = offsets[index * 2]!, to = offsets[index * 2 + 1]!;
        return {
          ...widened(of, from, to), severity: mark.severity === "note" ? "info" : mark.severity,
          message: [mark.message, ...mark.hints].join("\n"), renderMessage: () => withCode([mark.message, ...mark.hints].map(sentence).join("\n")),
        };
      });
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    show(start) {
      const [at = 0] = utf16Offsets(text(), [start]);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

/** A message with what stands between backticks as code. */
function withCode(message: string): Node {
  const all = document.createElement("span");
  message.split(/`([^`]+)`/).forEach((part, index) => {
    const node = index % 2 ? document.createElement("code") : document.createTextNode("");
    node.textContent = part;
    all.append(node);
  });
  return all;
}

/** An empty place is underlined by the letter beside it. */
function widened(text: string, from: number, to: number): { from: number; to: number } {
  if (to > from) return { from, to };
  if (from < text.length && text[from] !== "\n") return { from, to: from + 1 };
  return { from: Math.max(0, from - 1), to: from };
}

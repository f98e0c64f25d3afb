import { EditorView } from "@codemirror/view";

const inserting = new Set(["insertText", "insertReplacementText"]);

/**
 * Text of several lines, or text in place of several lines, is put in by the editor itself. The browser would join the lines in the page
 * and keep their looks with `style` attributes, which the page's policy forbids. A line's own text stays the browser's to write.
 */
export const ownInsertion = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.isComposing || view.composing || !inserting.has(event.inputType)) return false;
    const text = event.data ?? event.dataTransfer?.getData("text/plain"), selected = document.getSelection();
    if (text == null || !selected?.rangeCount) return false;
    const range = event.getTargetRanges()[0] ?? selected.getRangeAt(0);
    const from = view.posAtDOM(range.startContainer, range.startOffset), to = view.posAtDOM(range.endContainer, range.endOffset);
    const { doc } = view.state;
    if (!/[\r\n]/.test(text) && doc.lineAt(from).number === doc.lineAt(to).number) return false;
    event.preventDefault();
    const put = () => {
      const insert = view.state.toText(text);
      return view.state.update({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.type", scrollIntoView: true });
    };
    if (!view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, text, put))) view.dispatch(put());
    return true;
  },
});

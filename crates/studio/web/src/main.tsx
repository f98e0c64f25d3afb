import { render } from "preact";
import "./stores/theme";
import { App } from "./app";

document.addEventListener("DOMContentLoaded", () => {
  document.body.replaceChildren();
  render(<App />, document.body);
});

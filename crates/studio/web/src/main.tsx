import { render } from "preact";
import "./stores/theme";
import { App } from "./app";
import { beginFetching } from "./stores/live";

if (location.pathname !== "/login") beginFetching();

const draw = () => {
  document.body.replaceChildren();
  render(<App />, document.body);
};
document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", draw) : draw();

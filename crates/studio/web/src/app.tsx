import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { onRefused } from "./api/client";
import { followLink, go, usePlace } from "./router";
import { goLive } from "./stores/live";
import { Masthead } from "./masthead";
import { Footer } from "./footer";
import { Disconnected } from "./disconnected";
import { Toasts } from "./parts/toasts";
import { Empty } from "./parts/notice";
import { LoginPage } from "./login";
import { ModelsPage } from "./models/page";
import { ModelPage } from "./model/page";
import { NewPage } from "./new/page";
import { RunsPage } from "./runs/page";
import { RunPage } from "./runs/run-page";

onRefused(() => {
  if (location.pathname !== "/login") go(`/login?to=${encodeURIComponent(location.pathname + location.search)}`, "replace");
});

const titles = { models: "Models", model: "Model", new: "New merge", runs: "Runs", run: "Run", login: "Sign in", nowhere: "Not found" };

export function App(): JSX.Element {
  const { route } = usePlace();
  const inside = route.page !== "login";
  useEffect(() => (inside ? goLive() : undefined), [inside]);
  useEffect(() => {
    const name = route.page === "model" ? route.name : route.page === "run" ? `Run ${route.id}` : titles[route.page];
    document.title = `${name} – Weightsmith`;
  }, [route]);
  return (
    <div class="page" onClick={followLink}>
      <a class="skip" href="#main">Skip to the content</a>
      <Masthead inside={inside} />
      {inside && <Disconnected />}
      <main id="main" tabIndex={-1}>{page(route)}</main>
      {inside && <Footer />}
      <Toasts />
    </div>
  );
}

function page(route: ReturnType<typeof usePlace>["route"]): JSX.Element {
  switch (route.page) {
    case "models": return <ModelsPage />;
    case "model": return <ModelPage key={route.name} name={route.name} />;
    case "new": return <NewPage />;
    case "runs": return <RunsPage />;
    case "run": return <RunPage key={route.id} id={route.id} />;
    case "login": return <LoginPage />;
    default: return <><h1 tabIndex={-1}>Page not found</h1><Empty title="There is no page at this address."><p><a href="/">Go to models</a></p></Empty></>;
  }
}

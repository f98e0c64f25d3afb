import type { JSX } from "preact";
import { usePlace } from "./router";
import { beginAnother } from "./stores/draft";
import { isActive, runs, sortedRuns } from "./stores/runs";
import { useStore } from "./stores/store";
import { setTheme, theme, type Theme } from "./stores/theme";
import type { Run } from "./api/types";

const pages = [["/", "Models", ["models", "model"]], ["/new", "New merge", ["new"]], ["/runs", "Runs", ["runs", "run"]]] as const;

export function Masthead({ inside }: { inside: boolean }): JSX.Element {
  const { route } = usePlace();
  return (
    <header class="masthead">
      <a class="wordmark" href="/" aria-label="Weightsmith, all models">
        <svg viewBox="0 0 28 18" width="28" height="18" aria-hidden="true"><path d="M1 2l7 14 6-10 6 10 7-14" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" /><circle cx="14" cy="6" r="2.4" fill="var(--accent)" /></svg>
        <span>Weightsmith</span>
      </a>
      {inside && (
        <nav aria-label="Pages">
          {pages.map(([href, title, holds]) => (
            <a key={href} href={href} aria-current={(holds as readonly string[]).includes(route.page) ? "page" : undefined} onClick={href === "/new" ? beginAnother : undefined}>{title}</a>
          ))}
        </nav>
      )}
      {inside && <NowRunning />}
      <ThemeSwitch />
    </header>
  );
}

function NowRunning(): JSX.Element | null {
  const active = useStore(runs, activeKey);
  if (!active) return null;
  const run = runs.get().byId.get(Number(active.split(" ")[0]));
  if (!run) return null;
  const waiting = [...runs.get().byId.values()].filter((other) => other.state === "queued" && other.id !== run.id).length;
  const share = run.total ? run.done / run.total : 0;
  return (
    <a class="now" href={`/runs/${run.id}`}>
      <span class="now-title">{run.title}</span>
      <span class="figure">{run.state === "queued" ? "queued" : `${Math.floor(share * 100)}%`}{waiting ? `, ${waiting} more` : ""}</span>
      <span class="now-bar" style={{ width: `${share * 100}%` }} aria-hidden="true" />
    </a>
  );
}

/** Changes exactly when what the masthead shows of the runs changes. */
function activeKey(now: { byId: Map<number, Run>; loaded: boolean; more: boolean; error: unknown }): string {
  const active = sortedRuns(now as Parameters<typeof sortedRuns>[0]).filter(isActive);
  const run = active.find((one) => one.state === "running") ?? active[active.length - 1];
  return run ? `${run.id} ${run.state} ${Math.floor((run.done / (run.total || 1)) * 500)} ${active.length}` : "";
}

const order: Theme[] = ["system", "light", "dark"];

function ThemeSwitch(): JSX.Element {
  const now = useStore(theme);
  const next = order[(order.indexOf(now) + 1) % order.length]!;
  return (
    <button type="button" class="theme" onClick={() => setTheme(next)} title={`Switch to the ${next === "system" ? "system" : next} theme`}>
      <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
        <circle cx="8" cy="8" r="6.3" fill="none" stroke="currentColor" stroke-width="1.3" />
        {now === "system" && <path d="M8 1.7a6.3 6.3 0 0 1 0 12.6z" fill="currentColor" />}
        {now === "dark" && <circle cx="8" cy="8" r="6.3" fill="currentColor" />}
      </svg>
      <span class="unseen">Theme: </span>
      <span>{now === "system" ? "Auto" : now === "light" ? "Light" : "Dark"}</span>
    </button>
  );
}

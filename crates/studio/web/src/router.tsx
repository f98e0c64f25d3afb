import type { ComponentChildren, JSX } from "preact";
import { createStore, useStore } from "./stores/store";

export type Route =
  | { page: "models" } | { page: "model"; name: string } | { page: "new" } | { page: "runs" }
  | { page: "run"; id: number } | { page: "login" } | { page: "nowhere" };
export type Place = { path: string; query: URLSearchParams; route: Route };

function decoded(segment: string): string | null {
  try { return decodeURIComponent(segment); } catch { return null; }
}

/** Which page a path leads to. */
export function routeOf(path: string): Route {
  const [first = "", second, ...more] = path.replace(/^\/+|\/+$/g, "").split("/");
  if (first === "" ) return { page: "models" };
  if (first === "models" && second !== undefined) {
    const name = decoded([second, ...more].join("/"));
    return name ? { page: "model", name } : { page: "nowhere" };
  }
  if (more.length) return { page: "nowhere" };
  if (first === "runs" && second !== undefined) return /^\d+$/.test(second) ? { page: "run", id: Number(second) } : { page: "nowhere" };
  if (second !== undefined) return { page: "nowhere" };
  if (first === "models") return { page: "models" };
  if (first === "new" || first === "runs" || first === "login") return { page: first };
  return { page: "nowhere" };
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search), route: routeOf(location.pathname) };
}

const place = createStore<Place>(here());
window.addEventListener("popstate", () => place.set(here()));

/** Where the reader is. */
export function usePlace(): Place { return useStore(place); }

/** Goes to a page of this site. */
export function go(url: string, how: "push" | "replace" = "push"): void {
  const samePage = new URL(url, location.href).pathname === location.pathname;
  history[how === "push" ? "pushState" : "replaceState"](null, "", url);
  place.set(here());
  if (how === "push" && !samePage) {
    scrollTo(0, 0);
    // The next page's heading takes the focus, so that a screen reader starts there.
    requestAnimationFrame(() => document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true }));
  }
}

/** Changes values of the query; null takes one away. */
export function setQuery(values: Record<string, string | null>, how: "push" | "replace" = "replace"): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(values)) value === null ? query.delete(key) : query.set(key, value);
  const text = query.toString();
  go(location.pathname + (text ? "?" + text : ""), how);
}

/** The address of a model's page. */
export function modelUrl(name: string): string { return `/models/${encodeURIComponent(name)}`; }

/** Follows a click on a link of this site without loading the page anew. */
export function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (/^\/(assets|api|v1|openapi\.json|metrics|health)\b/.test(link.pathname) || link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

export function Link({ href, children, ...rest }: { href: string; children?: ComponentChildren } & JSX.IntrinsicElements["a"]): JSX.Element {
  return <a href={href} {...rest}>{children}</a>;
}

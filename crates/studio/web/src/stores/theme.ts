import { createStore } from "./store";

export type Theme = "system" | "light" | "dark";
const key = "weightsmith.theme";

function remembered(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch { return "system"; }
}

export const theme = createStore<Theme>(remembered());

function apply(): void {
  const value = theme.get();
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
}
apply();

export function setTheme(value: Theme): void {
  theme.set(value);
  try { value === "system" ? localStorage.removeItem(key) : localStorage.setItem(key, value); } catch { /* not remembered then */ }
  apply();
}

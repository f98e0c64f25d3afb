// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat("en");
export const count = (value: number | null | undefined): string => (value == null ? "–" : whole.format(value));

/** 5.14 MB, decimal units as disks have them. */
export function bytes(value: number | null | undefined): string {
  if (value == null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0, rest = value;
  while (rest >= 999.5 && unit < units.length - 1) { rest /= 1000; unit += 1; }
  return `${unit === 0 ? rest : rest.toFixed(rest < 10 ? 2 : rest < 100 ? 1 : 0)} ${units[unit]}`;
}

/** A share: 0.3 as 30%. */
export const percent = (value: number, digits = 0): string => `${(value * 100).toFixed(digits)}%`;

/** A number without needless digits. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toFixed(digits)));
}

/** How long: 21 ms, 4.2 s, 3 min 05 s. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 59.95) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const total = Math.round(seconds), hours = Math.floor(total / 3600), minutes = Math.floor(total / 60) % 60;
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return `${minutes} min ${String(total % 60).padStart(2, "0")} s`;
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const moment = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const date = (at: number | null | undefined): string => (at == null ? "–" : day.format(at * 1000));
export const dateTime = (at: number | null | undefined): string => (at == null ? "–" : moment.format(at * 1000));
export const time = (at: number): string => clock.format(at * 1000);

const near = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
/** A moment for narrow columns: without the year while it is this one. */
export function shortTime(at: number | null | undefined): string {
  if (at == null) return "–";
  return new Date(at * 1000).getFullYear() === new Date().getFullYear() ? near.format(at * 1000) : date(at);
}

/** When, near to now: 4 min ago. */
export function ago(at: number | null | undefined, now = Date.now() / 1000): string {
  if (at == null) return "–";
  const past = now - at;
  if (past < 45) return "just now";
  if (past < 3600) return `${Math.max(1, Math.round(past / 60))} min ago`;
  if (past < 86400) return `${Math.round(past / 3600)} h ago`;
  if (past < 86400 * 7) return `${Math.round(past / 86400)} d ago`;
  return date(at);
}

/** A context length: 131,072 as 128k. */
export function context(value: number | null | undefined): string {
  if (value == null) return "–";
  return value >= 1024 && value % 1024 === 0 ? `${value / 1024}k` : count(value);
}

export const plural = (n: number, one: string, many = one + "s"): string => `${count(n)} ${n === 1 ? one : many}`;
/** The last part of a name such as ORG/NAME. */
export const shortName = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

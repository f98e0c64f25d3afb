import type { JSX } from "preact";

/** How far something is: a hairline that fills. Without a share it only says that something goes on. */
export function Meter({ label, share }: { label: string; share: number | null }): JSX.Element {
  const percent = share === null ? null : Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return (
    <div class={percent === null ? "meter meter-open" : "meter"} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={percent ?? undefined}>
      <div style={{ width: percent === null ? "30%" : `${percent}%` }} />
    </div>
  );
}

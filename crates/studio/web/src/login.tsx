import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, ApiError } from "./api/client";
import { said } from "./parts/ticks";
import { go, usePlace } from "./router";

export function LoginPage(): JSX.Element {
  const { query } = usePlace();
  const [key, setKey] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const enter = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.login(key);
      const to = query.get("to") ?? "/";
      go(/^\/(?![/\\])/.test(to) ? to : "/", "replace");
    } catch (cause) {
      setProblem(cause instanceof ApiError && cause.status === 401 ? "Wrong key." : (cause as Error).message);
      setBusy(false);
    }
  };
  return (
    <section class="login">
      <h1 tabIndex={-1}>Sign in</h1>
      <p class="lede">This server requires the key set with <code>--api-key</code>. Ask whoever started it.</p>
      <form onSubmit={enter}>
        <label class="field"><span>Key</span>
          <input type="password" autocomplete="current-password" required value={key} aria-invalid={!!problem} aria-describedby="login-problem"
            onInput={(event) => { setKey(event.currentTarget.value); setProblem(""); }} />
        </label>
        <p id="login-problem" class="field-problem" role="alert">{said(problem)}</p>
        <button type="submit" class="primary" disabled={busy || !key}>Sign in</button>
      </form>
    </section>
  );
}

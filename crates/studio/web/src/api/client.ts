import type * as T from "./types";

/** An answer of the server that is not a success, with what the server says about it. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly hints: string[], readonly diagnostics: T.Diagnostic[]) {
    super(message);
  }
}

let refused = () => {};
/** What to do when the server wants a key. */
export function onRefused(handler: () => void): void { refused = handler; }

/** Turns an answer that is not a success into an error that can be shown. */
export async function failure(answer: Response): Promise<ApiError> {
  let body: { error?: Partial<T.ErrorBody>; diagnostics?: T.ErrorAnswer["diagnostics"] } = {};
  try { body = await answer.json(); } catch { /* not JSON: the status says what there is to say */ }
  if (answer.status === 401 && !answer.url.endsWith("/api/login")) refused();
  const error = body.error ?? {};
  return new ApiError(answer.status, error.code ?? "", error.message ?? `the server returned ${answer.status}`, error.hints ?? [],
    body.diagnostics ?? []);
}

async function call<A>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<A> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method, signal: signal ?? null, credentials: "same-origin",
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if ((cause as Error).name === "AbortError") throw cause;
    throw new ApiError(0, "disconnected", "can't reach the server", ["is `weightsmith serve` still running?"], []);
  }
  if (!answer.ok) throw await failure(answer);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as A;
}

const get = <A>(path: string, signal?: AbortSignal) => call<A>("GET", path, undefined, signal);
const post = <A>(path: string, body: unknown = {}, signal?: AbortSignal) => call<A>("POST", path, body, signal);
const drop = (path: string) => call<void>("DELETE", path);
const model = (name: string) => `/api/models/${encodeURIComponent(name)}`;
const query = (values: Record<string, string | number | undefined>) => {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  return pairs.length ? "?" + new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])) : "";
};

export const api = {
  system: () => get<T.System>("/api/system"),
  login: (key: string) => post<void>("/api/login", { key }),
  logout: () => post<void>("/api/logout"),

  models: () => get<T.ModelList>("/api/models"),
  model: (name: string) => get<T.ModelDetails>(model(name)),
  card: (name: string) => get<T.Card>(`${model(name)}/card`),
  files: (name: string) => get<T.FileList>(`${model(name)}/files`),
  tensors: (name: string) => get<T.TensorList>(`${model(name)}/tensors`),
  explanation: (name: string) => get<T.ExplanationAnswer>(`${model(name)}/explanation`),
  difference: (name: string, against: string) => get<T.Difference>(`${model(name)}/difference${query({ against })}`),
  evaluations: (name: string) => get<T.EvaluationList>(`${model(name)}/evaluations`),
  host: (name: string) => get<T.Host>(`${model(name)}/host`),
  load: (name: string) => post<T.StateAnswer>(`${model(name)}/load`),
  unload: (name: string) => post<T.StateAnswer>(`${model(name)}/unload`),
  preview: (recipe: string) => post<T.PreviewAnswer>("/api/previews", { recipe } satisfies T.RecipeText),
  dropPreview: (name: string) => drop(`/api/previews/${encodeURIComponent(name)}`),

  check: (recipe: string, signal?: AbortSignal) => post<T.Check>("/api/check", { recipe } satisfies T.RecipeText, signal),
  methods: () => get<T.Methods>("/api/methods"),
  gallery: () => get<T.Gallery>("/api/gallery"),
  proposedName: (method: string) => get<T.ProposedName>(`/api/names${query({ method })}`),

  runs: (filter: { kind?: T.RunKind; state?: T.RunState; limit?: number; before?: number } = {}) =>
    get<T.RunList>(`/api/runs${query(filter)}`),
  run: (id: number) => get<T.RunDetails>(`/api/runs/${id}`),
  start: (request: T.RunRequest) => post<T.Run>("/api/runs", request),
  cancel: (id: number) => post<T.Run>(`/api/runs/${id}/cancel`),
  resume: (id: number) => post<T.Run>(`/api/runs/${id}/resume`),
  rerun: (id: number) => post<T.Run>(`/api/runs/${id}/rerun`),
  forget: (id: number) => drop(`/api/runs/${id}`),

  hub: (q: string, signal?: AbortSignal) => get<T.HubModels>(`/api/hub/search${query({ q })}`, signal),
};

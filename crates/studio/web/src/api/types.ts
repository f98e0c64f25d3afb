// The answers of the server's JSON API under /api. Times are seconds since 1970, sizes are bytes.

export type System = {
  version: string; data_folder: string; models_folder: string; folders: string[];
  hub: { endpoint: string; offline: boolean; logged_in: boolean };
  cores: number; memory_total: number; memory_available: number; disk_free: number; needs_key: boolean;
};

export type ModelState = "cold" | "loading" | "warm" | "failed" | "broken";
export type Parent = { name: string; label: string; known: boolean };
export type Model = {
  name: string; origin: "made" | "folder" | "cache" | "given" | "preview"; path: string | null;
  task: string | null; architecture: string | null; model_type: string | null;
  parameters: number | null; size: string | null; bytes: number | null; weights_type: string | null;
  context_trained: number | null; context_served: number | null; concurrency_units: number | null;
  license: string | null; created: number | null; published: number | null; method: string | null;
  parents: Parent[]; tags: string[]; state: ModelState; progress: number | null; error: string | null;
};
export type Lock = {
  weightsmith?: string; date?: string; method?: string; seed?: number; recipe?: string;
  inputs?: { label: string; base?: boolean; revision: string | null; files?: { name: string; bytes: number; header?: string }[] }[];
  tensors?: number; parameters?: number; non_finite?: number;
};
export type Usage = { title: string; language: string; code: string };
export type ModelDetails = Model & {
  recipe: string | null; lock: Lock | null; has_card: boolean; chat_template: boolean;
  vocabulary: number | null; layers: number | null; hidden_size: number | null;
  attention_heads: number | null; key_value_heads: number | null; tied_embeddings: boolean | null;
  generation: { temperature: number | null; top_p: number | null; top_k: number | null; repetition_penalty: number | null } | null;
  usage: Usage[];
};
export type ModelList = { models: Model[]; folders: { path: string; error: string | null }[] };
export type ModelFile = { name: string; bytes: number; modified: number | null; blake3: string | null; kind: string };
export type Tensor = { name: string; dtype: string; shape: number[]; elements: number; bytes: number; file: string };
export type Inspection = { description?: string; tensor_count?: number; layers?: number; types?: { dtype: string; tensors: number; elements: number; bytes: number }[] };

export type Span = { line: number; column: number; start: number; end: number };
export type Diagnostic = { severity: "error" | "warning" | "note"; message: string; hints: string[]; span: Span | null };
export type Plan = {
  method: string; title: string;
  inputs: { name: string; label: string; known: boolean; tensors: number | null; parameters: number | null; layers: number | null; base: boolean; donor: boolean }[];
  tensors: number; parameters: number; layers: number; weights_type: string;
  files: { name: string; bytes: number }[]; dropped: { tensor: string; model: string; reason: string }[];
  bytes_read: number; bytes_written: number; memory: number; seconds_expected: number | null;
  needs_download: { model: string; bytes: number }[]; card_preview: string | null;
};
export type Value = number | boolean | string | null;
export type Explanation = {
  method: string; title: string; summary: string;
  models: { label: string; name: string; base: boolean; revision: string | null; layers: number; parameters: number }[];
  layers: number;
  origins: { first: number; last: number; sources: { model: number; first: number; last: number }[] }[];
  parameters: {
    name: string; source: { model: number; mention: number } | null; summary: string; usual: [number, number] | null;
    groups: { name: string; kinds: string[]; values: Value[] }[];
    outside: { parts: string[]; tensors: string[]; value: Value }[];
  }[];
  shares: null | {
    fractions: boolean; layers: number[][];
    groups: { name: string; kinds: string[]; layers: number[][] }[];
    outside: { parts: string[]; tensors: string[]; shares: number[] }[];
  };
  words: string[];
};
/** `pending`: models of the Hub that are being looked up; what they change is known when a later check says so. */
export type Check = { diagnostics: Diagnostic[]; plan: Plan | null; explanation: Explanation | null; pending?: string[] };
export type MethodParameter = { name: string; scope: string; kind: string; default: unknown; usual: [number, number] | null; summary: string };
export type Method = { name: string; title: string; summary: string; documentation: string; parameters: MethodParameter[]; recipe: string };
export type GalleryRecipe = { id: string; title: string; summary: string; recipe: string };

export type Cell = { cosine: number | null; relative: number | null; changed: number | null } | null;
export type Difference = {
  against: string; computed: number; layers: string[]; kinds: string[]; cells: Cell[][];
  summary: { tensors_same?: number; tensors_different?: number; measures?: { changed_share?: number; relative_difference?: number; cosine?: number } };
  outside: { name: string; cosine: number | null; relative: number | null; changed: number | null }[];
};
export type Score = { model: string; metric: string; value: number; error: number | null; count: number | null; unit: string };
export type Evaluation = { run: number | null; at: number; data: { name: string; kind: string }; scores: Score[] };
export type Host = {
  ready: boolean; checks: { name: string; state: "passed" | "failed" | "warned"; message: string; hint: string | null }[];
  memory: { bits: number; bytes: number }[];
};

export type RunKind = "merge" | "evaluate" | "difference" | "pull" | "push";
export type RunState = "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";
export type Report = { tensors?: number; parameters?: number; bytes_read?: number; bytes_written?: number; resumed_bytes?: number; seconds?: number; peak_private?: number | null };
export type RunRequest = {
  kind: RunKind; recipe?: string; name?: string; model?: string; against?: string | string[];
  options?: { replace?: boolean; allow_non_finite?: boolean };
  data?: { kind?: string; name?: string; text?: string; file?: string };
  repository?: string | null; private?: boolean; message?: string | null;
};
export type RunResult = {
  name?: string; path?: string; report?: Report; words?: string[]; evaluation?: Evaluation;
  against?: string; models?: string[]; bytes?: number; url?: string; commit?: string;
};
/** Of two answers about runs, the one with the larger `version` was made later, whichever arrives first. */
export type Run = {
  id: number; version: number; kind: RunKind; state: RunState; title: string; model: string | null; request: RunRequest;
  created: number; started: number | null; ended: number | null; stage: string | null;
  done: number; total: number; rate: number | null; eta: number | null;
  tensors_done: number | null; tensors: number | null; queue_position: number | null;
  error: { message: string; hints: string[] } | null; result: RunResult | null;
};
export type LogLine = { at: number; text: string };
export type RunDetails = Run & { log: LogLine[] };
export type HubModel = { name: string; downloads: number; likes: number; updated: number | null; task: string | null; license: string | null; gated: boolean };

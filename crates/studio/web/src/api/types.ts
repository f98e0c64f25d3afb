// Made from the types in crates/studio/src/wire by `UPDATE_TYPES=1 cargo test -p weightsmith-studio --lib`.
// Times are seconds since 1970, sizes are bytes.

/** What `base_model` means to a method. */
export type BaseRule = "required" | "optional" | "ignored";

/** A model's card. */
export type Card = {
  /** Sanitized HTML. */
  html: string;
  /** Its Markdown source. */
  markdown: string;
};

/** Problems and plan of a recipe. */
export type Check = {
  /** Its diagnostics, in text order. */
  diagnostics: Diagnostic[];
  /** The plan; none if there are errors. */
  plan: Plan | null;
  /** What it does, layer by layer. */
  explanation: Explanation | null;
  /** Models being looked up on the Hub: check again a moment later. */
  pending: string[];
};

/** Whether a requirement is met. */
export type CheckOutcome = "passed" | "warned" | "failed";

/** What `config.json` says, where it says it. */
export type ConfigFacts = {
  /** `architectures`. */
  architectures: string[];
  /** The longest text in tokens. */
  context_length: number | null;
  /** Width of the residual stream. */
  hidden_size: number | null;
  /** Attention heads. */
  attention_heads: number | null;
  /** Heads of keys and values. */
  key_value_heads: number | null;
  /** `dtype` or `torch_dtype`. */
  dtype: string | null;
  /** `quantization_config.quant_method`, when the weights are quantised. */
  quantization: string | null;
};

/** Tensors of the layers for which a parameter has the same values. */
export type CurveGroup = {
  /** What to call them: `all tensors`, `self_attn.*`, `the rest`. */
  name: string;
  /** Their names within a layer. */
  kinds: string[];
  /** The value in each layer; `None` where it is not set or there is no such tensor. */
  values: (ParameterValue | null)[];
};

/** What is measured on. */
export type Data = {
  /** What it is called. */
  name: string;
  /** What it is. */
  kind: DataKind;
};

/** What data are. */
export type DataKind = "perplexity" | "tasks";

/** One problem: what is wrong, where, and what to do about it. */
export type Diagnostic = {
  /** How bad it is. */
  severity: Severity;
  /** What was found and what was expected: lower case, no full stop, literals in backticks. */
  message: string;
  /** Where in the recipe, when it has a place there. */
  span: Span | null;
  /** What to do about it, such as ``did you mean `dare_ties`?``. */
  hints: string[];
};

/** Difference between two models: a map of layers and kinds of tensors. */
export type Difference = {
  /** The other model. */
  against: string;
  /** When it was computed. */
  computed: number;
  /** All tensors together. */
  summary: DifferenceSummary;
  /** The numbers of the layers, in their order. */
  layers: string[];
  /** The names that tensors have within a layer. */
  kinds: string[];
  /** For each layer, a cell for each kind. */
  cells: ((Distance | null)[])[];
  /** Tensors outside the layers. */
  outside: OutsideTensor[];
};

/** Numbers about the values of A and B. */
export type DifferenceMeasures = {
  /** Elements that were compared. */
  elements: number;
  /** Elements whose bytes differ; for two types, whose values differ. */
  changed: number;
  /** `changed / elements`. */
  changed_share: number;
  /** NaN or infinite in A, B or the base; they count in none of the following numbers. */
  non_finite: number;
  /** Largest |A − B|; `None` for types without arithmetic. */
  max_difference: number | null;
  /** ‖A − B‖ / ‖A‖, 0 where both are zero; `None` where A alone is zero. */
  relative_difference: number | null;
  /** Cosine between A and B; `None` where one of them is zero. */
  cosine: number | null;
  /** What A and B have learnt since the base, where a base was given and has the tensor in that shape. */
  task: TaskMeasures | null;
};

/** Two models to compare. */
export type DifferenceRequest = {
  /** A model's name in the table. */
  model: string;
  /** The other model's. */
  against: string;
};

/** A comparison that was made; `/api/models/{name}/difference` has it. */
export type DifferenceResult = {
  /** The other model. */
  against: string;
};

/** All tensors together. */
export type DifferenceSummary = {
  /** True when both have the same tensors with the same bytes. */
  same: boolean;
  /** Tensors with the same bytes. */
  tensors_same: number;
  /** Tensors of one type and shape whose bytes differ. */
  tensors_different: number;
  /** Tensors of one shape and two types. */
  tensors_of_two_types: number;
  /** Tensors of two shapes. */
  tensors_of_two_shapes: number;
  /** Tensors that B lacks. */
  tensors_only_in_a: number;
  /** Tensors that A lacks. */
  tensors_only_in_b: number;
  /** What was measured over all tensors whose values could be compared. */
  measures: DifferenceMeasures;
  /** Whether A and B look like trainings of one model; `None` without a matrix that both have. */
  kinship: Kinship | null;
};

/** A tensor's distance from the other model's. */
export type Distance = {
  /** The cosine of the two; none if one is zero. */
  cosine: number | null;
  /** The norm of the difference, relative to the other tensor. */
  relative: number | null;
  /** The share of elements that differ. */
  changed: number | null;
};

/** An answer that is no success. */
export type ErrorAnswer = {
  /** The error message. */
  error: ErrorBody;
  /** The problems of the recipe, if any. */
  diagnostics?: Diagnostic[] | null;
};

/** The error, with hints. */
export type ErrorBody = {
  /** A word that stays the same from version to version, such as `name_taken`. */
  code: string;
  /** The error message. */
  message: string;
  /** A hint. */
  hints: string[];
};

/** A model that is to be measured. */
export type EvaluateRequest = {
  /** The model's name in the list. */
  model: string;
  /** Models to measure on the same data. */
  against?: string[] | null;
  /** The data. */
  data: EvaluationData;
};

/** What was measured. */
export type EvaluateResult = {
  /** What was measured. */
  evaluation: Evaluation;
};

/** Evaluations of models on the same data. */
export type Evaluation = {
  /** The run; none in the run's own result. */
  run: number | null;
  /** When. */
  at: number;
  /** On what. */
  data: Data;
  /** The result. */
  scores: Score[];
};

/** The data: text, or a file in one of the studio's folders. */
export type EvaluationData = {
  /** What it is. */
  kind: DataKind;
  /** A label. */
  name?: string | null;
  /** The text, or the questions, one of them in a line. */
  text?: string | null;
  /** The path of a file, where there is no text. */
  file?: string | null;
};

/** An evaluation of a model. */
export type EvaluationList = {
  /** The newest first. */
  evaluations: Evaluation[];
};

/** A model that takes part. */
export type ExplainedModel = {
  /** `org/name`, or the folder's name. */
  label: string;
  /** The shortest name that tells it apart from the others: the label without `org/` where that is enough. */
  name: string;
  /** True for the recipe's base model. */
  base: boolean;
  /** The commit, for a model from the hub. */
  revision: string | null;
  /** Number of layers of its main stack. */
  layers: number;
  /** Number of elements of all its tensors. */
  parameters: number;
};

/** What a plan does, layer by layer. */
export type Explanation = {
  /** Name of the method in recipes. */
  method: string;
  /** Name of the method in prose. */
  title: string;
  /** One sentence on what the method does. */
  summary: string;
  /** The models, in the plan's order; everything else here refers to them by their index. */
  models: ExplainedModel[];
  /** Number of layers of the result. */
  layers: number;
  /** Where the result's layers come from: runs of layers that go on in step with their sources. */
  origins: LayerOrigin[];
  /** Every parameter, those of a model once for each model. */
  parameters: ParameterCurves[];
  /** How much of each model is in the result; `None` where that depends on the tensors and not on coefficients. */
  shares: Shares | null;
  /** The same in sentences. */
  words: string[];
};

/** Explanation of a model's recipe. */
export type ExplanationAnswer = {
  /** Layer by layer. */
  explanation: Explanation;
};

/** What a file is for. */
export type FileKind = "card" | "lock" | "recipe" | "tokenizer" | "weights" | "picture" | "config" | "other";

/** The files of a model's folder. */
export type FileList = {
  /** By name. */
  files: ModelFile[];
};

/** A weight file. */
export type FileRow = {
  /** Its name within the folder. */
  name: string;
  /** Its size. */
  bytes: number;
  /** Number of tensors in it. */
  tensors: number;
};

/** A folder that is looked into. */
export type Folder = {
  /** Its path. */
  path: string;
  /** Why it cannot be read. */
  error: string | null;
};

/** Example recipes. */
export type Gallery = {
  /** All of them. */
  recipes: GalleryRecipe[];
};

/** A recipe to begin with. */
export type GalleryRecipe = {
  /** A name for addresses. */
  id: string;
  /** What it is. */
  title: string;
  /** When to use it. */
  summary: string;
  /** Its text. */
  recipe: string;
};

/** A model's default sampling settings, from `generation_config.json`. */
export type Generation = {
  /** `temperature`. */
  temperature: number | null;
  /** `top_p`. */
  top_p: number | null;
  /** `top_k`. */
  top_k: number | null;
  /** `repetition_penalty`. */
  repetition_penalty: number | null;
};

/** Whether inference hosts will accept a model. */
export type Host = {
  /** Whether all requirements pass. */
  ready: boolean;
  /** What was looked at. */
  checks: HostCheck[];
  /** The memory it needs. */
  memory: HostMemory[];
};

/** A requirement of hosts. */
export type HostCheck = {
  /** What it is. */
  name: string;
  /** Whether the model has it. */
  state: CheckOutcome;
  /** Why. */
  message: string;
  /** A hint. */
  hint: string | null;
};

/** The memory that a model needs with weights of a size. */
export type HostMemory = {
  /** Bits of a weight. */
  bits: number;
  /** Bytes of the weights. */
  bytes: number;
  /** With a KV cache for a short context. */
  short_context: number | null;
  /** With a KV cache for the full context. */
  full_context: number | null;
};

/** The Hub, for search, downloads and publishing. */
export type HubAccess = {
  /** Its address. */
  endpoint: string;
  /** Whether it is offline. */
  offline: boolean;
  /** Whether there is a token. */
  logged_in: boolean;
};

/** A model of the hub. */
export type HubModel = {
  /** Its name, `organization/name`. */
  name: string;
  /** Downloads in the last 30 days. */
  downloads: number;
  /** Its likes. */
  likes: number;
  /** When it was last changed. */
  updated: number | null;
  /** What it is for, such as `text-generation`. */
  task: string | null;
  /** The license identifier. */
  license: string | null;
  /** Whether the model is gated. */
  gated: boolean;
};

/** Models on the Hub. */
export type HubModels = {
  /** Models whose names match. */
  models: HubModel[];
};

/** How many inputs a method takes. */
export type InputCount = {
  /** The least number. */
  min: number;
  /** The largest number. */
  max: number | null;
};

/** What is in a checkpoint. */
export type Inspection = {
  /** The name of the model. */
  label: string;
  /** Its commit, if it comes from the Hub. */
  revision: string | null;
  /** Its architecture in words. */
  description: string;
  /** `model_type` of its configuration. */
  model_type: string | null;
  /** Elements of all tensors. */
  parameters: number;
  /** Number of tensors. */
  tensor_count: number;
  /** Bytes of all tensors. */
  bytes: number;
  /** Layers of the main stack. */
  layers: number;
  /** Runs of equally named layers. */
  stacks: LayerStack[];
  /** Tensor types, by bytes in descending order. */
  types: TypeRow[];
  /** The weight files. */
  files: FileRow[];
  /** Tensors that are not in the index. */
  unindexed: string[];
  /** Prefixes removed from all names. */
  wrappers: string[];
  /** Whether the embedding is the output matrix too; none without an embedding. */
  tied_embeddings: boolean | null;
  /** The vocabulary's size. */
  vocabulary: Vocabulary;
  /** Values from `config.json`. */
  config: ConfigFacts;
  /** Where the chat template comes from. */
  chat_template: string | null;
  /** Tensors that differ only in their layer number. */
  templates: TensorTemplate[];
};

/** Whether two models look like trainings of one model. */
export type Kinship = {
  /** Cosine over all matrices that both have. Vectors are left out: norms and biases of strangers resemble each other. */
  cosine: number;
  /** False when the cosine is so near to 0 that merging would average unrelated numbers. */
  siblings: boolean;
};

/** A run of the result's layers that goes on in step with its sources. */
export type LayerOrigin = {
  /** First layer of the result. */
  first: number;
  /** Last layer of the result. */
  last: number;
  /** The layers that these are made of. */
  sources: OriginSource[];
};

/** A run of equally named layers. */
export type LayerStack = {
  /** What stands before the layer's number in names. */
  prefix: string;
  /** Whether slices of a recipe apply to it. */
  main: boolean;
  /** Number of layers. */
  layers: number;
  /** Number of different tensors of its layers. */
  kinds: number;
  /** Elements of all layers together. */
  parameters: number;
};

/**
 * What a merge was made of and what it consists of.
 *
 * Local models are named by their folders; no absolute path is in it.
 */
export type Lock = {
  /** [`LOCK_FORMAT`]. */
  format: number;
  /** Version of weightsmith that made it. */
  weightsmith: string;
  /** When, in RFC 3339 with seconds, UTC. */
  date: string;
  /** Name of the merge method. */
  method: string;
  /** Key of all randomness. */
  seed: number;
  /** BLAKE3 of the recipe's text, which is in `mergekit_config.yml`. */
  recipe: string;
  /** BLAKE3 of all that the run depended on, by which a rerun knows its own finished result. */
  run?: string | null;
  /** BLAKE3 of paths and times of the inputs' files on the machine that made it, by which a rerun there knows that they are the same. */
  run_inputs?: string | null;
  /** The models that were read. */
  inputs: LockedInput[];
  /** Number of tensors of the result. */
  tensors: number;
  /** Number of elements of all tensors of the result. */
  parameters: number;
  /** Number of NaN and infinite elements that the run allowed. */
  non_finite: number;
  /** Every file of the result but the lock. */
  files: LockedFile[];
};

/** A file of the result. */
export type LockedFile = {
  /** Path inside the folder, with `/` between its parts. */
  name: string;
  /** Size in bytes. */
  bytes: number;
  /** BLAKE3 of the content, in hex: what `b3sum` prints. */
  blake3: string;
};

/** A model that was read. */
export type LockedInput = {
  /** `org/name`, or the folder's name. */
  label: string;
  /** True for the recipe's base model. */
  base: boolean;
  /** The commit of a model of the hub; a hash of the objects' tags of one in a store. */
  revision: string | null;
  /** Its weight files. */
  files: LockedInputFile[];
};

/** A weight file that was read. */
export type LockedInputFile = {
  /** Name inside the model's folder. */
  name: string;
  /** Size in bytes. */
  bytes: number;
  /** BLAKE3 of the header, in hex. */
  header: string;
};

/** A line of a run's log. */
export type LogLine = {
  /** When it was written. */
  at: number;
  /** What it says. */
  text: string;
};

/** What a merge may do. */
export type MergeOptions = {
  /** Replace a model of that name merged here. */
  replace?: boolean | null;
  /** Allow NaN and infinite values in the result. */
  allow_non_finite?: boolean | null;
};

/** What a run did. */
export type MergeReport = {
  /** Whether an earlier run had finished all of it, so that nothing was done. */
  already_there: boolean;
  /** Tensors of the result. */
  tensors: number;
  /** Elements of the result. */
  parameters: number;
  /** Bytes of tensor data read from the inputs, each pass counted. */
  bytes_read: number;
  /** Bytes of weights written. */
  bytes_written: number;
  /** Bytes of them that an earlier run had finished. */
  resumed_bytes: number;
  /** Wall-clock seconds. */
  seconds: number;
  /** Largest private memory seen, in bytes, where the system tells. */
  peak_private: number | null;
  /** Largest resident memory, mapped inputs included, in bytes, where the system tells. */
  peak_resident: number | null;
  /** Tensors with NaN or infinite values that were allowed, and how many. */
  non_finite: ([string, number])[];
  /** The weight files. */
  files: OutputFile[];
};

/** A model that is to be made. */
export type MergeRequest = {
  /** The recipe, in mergekit's YAML. */
  recipe: string;
  /** The name of the model. */
  name: string;
  /** What it may do. */
  options?: MergeOptions | null;
};

/** A model that was made. */
export type MergeResult = {
  /** The model's name in the list. */
  name: string;
  /** Its folder. */
  path: string;
  /** How it was merged. */
  report: MergeReport;
  /** Summary of the recipe. */
  words: string[];
};

/** A merge method. */
export type Method = {
  /** The name in a recipe's `merge_method`. */
  name: string;
  /** The name in prose, such as `Spherical linear interpolation (SLERP)`. */
  title: string;
  /** One sentence on what it does. */
  summary: string;
  /** User documentation in Markdown: the formula, when to use it, what its parameters do. */
  documentation: string;
  /** Where the method comes from. */
  reference: MethodReference | null;
  /** Whether it needs a base model. */
  base: BaseRule;
  /**
   * How many inputs it takes: with the base where the method needs one or takes it for an ordinary input, without an
   * optional one.
   */
  inputs: InputCount;
  /** Its parameters. */
  parameters: ParameterSpec[];
  /** What happens to an optional tensor that some inputs lack. */
  missing: MissingRule;
  /** A minimal recipe. */
  recipe: string;
};

/** A paper or page that describes a method. */
export type MethodReference = {
  /** Title and authors. */
  title: string;
  /** Address. */
  url: string;
};

/** The merge methods. */
export type Methods = {
  /** All of them. */
  methods: Method[];
};

/** What is measured. */
export type Metric = "perplexity" | "accuracy" | "exact_match";

/** A model that is not on this machine. */
export type MissingModel = {
  /** Its name on the Hub. */
  model: string;
  /** Bytes of its weights. */
  bytes: number;
};

/** What happens to an optional tensor that some inputs lack. */
export type MissingRule = "merge_rest" | "copy_lone" | "copy_lone_base" | "copy_base_or_skip";

/** A model of the table. */
export type Model = {
  /** Its name, in URLs, requests and recipes. */
  name: string;
  /** Where it comes from. */
  origin: Origin;
  /** Its folder; none if it is not on disk. */
  path: string | null;
  /** `text-generation` for models that generate text. */
  task: string | null;
  /** The class that its configuration names. */
  architecture: string | null;
  /** `model_type` of its configuration. */
  model_type: string | null;
  /** Elements of all tensors. */
  parameters: number | null;
  /** The rounded number of parameters, such as `0.5B`. */
  size: string | null;
  /** Bytes of its weights. */
  bytes: number | null;
  /** The main type of the weights. */
  weights_type: string | null;
  /** The model's trained context. */
  context_trained: number | null;
  /** Maximum tokens of prompt and answer together. */
  context_served: number | null;
  /** Its concurrency units. */
  concurrency_units: number | null;
  /** Its license. */
  license: string | null;
  /** When it was made. */
  created: number | null;
  /** When it was last published from here. */
  published: number | null;
  /** The method that it was merged by. */
  method: string | null;
  /** The merged models. */
  parents: Parent[];
  /** Tags of its card. */
  tags: string[];
  /** Its state. */
  state: ModelState;
  /** The loaded fraction, while loading. */
  progress: number | null;
  /** Why it cannot generate text. */
  error: string | null;
};

/** The state of a model. */
export type ModelChange = {
  /** The model. */
  name: string;
  /** Its state. */
  state: ModelState;
  /** The loaded fraction, while loading. */
  progress: number | null;
  /** Why it cannot generate text. */
  error: string | null;
};

/** A model with everything about it but its card, files and tensors. */
export type ModelDetails = {
  /** Its name, in URLs, requests and recipes. */
  name: string;
  /** Where it comes from. */
  origin: Origin;
  /** Its folder; none if it is not on disk. */
  path: string | null;
  /** `text-generation` for models that generate text. */
  task: string | null;
  /** The class that its configuration names. */
  architecture: string | null;
  /** `model_type` of its configuration. */
  model_type: string | null;
  /** Elements of all tensors. */
  parameters: number | null;
  /** The rounded number of parameters, such as `0.5B`. */
  size: string | null;
  /** Bytes of its weights. */
  bytes: number | null;
  /** The main type of the weights. */
  weights_type: string | null;
  /** The model's trained context. */
  context_trained: number | null;
  /** Maximum tokens of prompt and answer together. */
  context_served: number | null;
  /** Its concurrency units. */
  concurrency_units: number | null;
  /** Its license. */
  license: string | null;
  /** When it was made. */
  created: number | null;
  /** When it was last published from here. */
  published: number | null;
  /** The method that it was merged by. */
  method: string | null;
  /** The merged models. */
  parents: Parent[];
  /** Tags of its card. */
  tags: string[];
  /** Its state. */
  state: ModelState;
  /** The loaded fraction, while loading. */
  progress: number | null;
  /** Why it cannot generate text. */
  error: string | null;
  /** The recipe of the merge. */
  recipe: string | null;
  /** Inputs and hashes. */
  lock: Lock | null;
  /** Whether it has a card. */
  has_card: boolean;
  /** Whether it has a chat template. */
  chat_template: boolean;
  /** The size of its vocabulary. */
  vocabulary: number | null;
  /** Its layers. */
  layers: number | null;
  /** A position between two layers. */
  hidden_size: number | null;
  /** Attention heads. */
  attention_heads: number | null;
  /** KV heads. */
  key_value_heads: number | null;
  /** Whether the embedding is the output matrix too. */
  tied_embeddings: boolean | null;
  /** Its default sampling settings. */
  generation: Generation | null;
  /** How to use it elsewhere. */
  usage: Usage[];
};

/** A file of a model's folder. */
export type ModelFile = {
  /** Its path in the folder. */
  name: string;
  /** Its size. */
  bytes: number;
  /** When it was changed. */
  modified: number | null;
  /** Its hash from the lock, if the size matches. */
  blake3: string | null;
  /** What it is for. */
  kind: FileKind;
};

/** All models. */
export type ModelList = {
  /** Models from the command line, previews, merges, folders and cache, in this order. */
  models: Model[];
  /** The configured folders. */
  folders: Folder[];
};

/** The state of a model. */
export type ModelState = "cold" | "loading" | "warm" | "failed" | "broken";

/** An event that says all by its name. */
export type Nothing = Record<string, never>;

/** Where a model comes from. */
export type Origin = "made" | "folder" | "cache" | "given" | "preview";

/** The layers of one source of a [`LayerOrigin`]. */
export type OriginSource = {
  /** The model. */
  model: number;
  /** Its first layer. */
  first: number;
  /** Its last layer. */
  last: number;
};

/** A file of the result. */
export type OutputFile = {
  /** Path inside the result's folder, with `/` between its parts. */
  name: string;
  /** Size. */
  bytes: number;
  /** BLAKE3 of its content. */
  blake3: string;
};

/** The shares of tensors outside the layers. */
export type OutsideShare = {
  /** What they are: `embeddings`, `final norm`, `output head`, or tensor names. */
  parts: string[];
  /** Their names. */
  tensors: string[];
  /** The share of each model. */
  shares: number[];
};

/** A tensor outside the layers. */
export type OutsideTensor = {
  /** The cosine of the two; none if one is zero. */
  cosine: number | null;
  /** The norm of the difference, relative to the other tensor. */
  relative: number | null;
  /** The share of elements that differ. */
  changed: number | null;
  /** Its name. */
  name: string;
};

/** The value of a parameter for tensors outside the layers. */
export type OutsideValue = {
  /** What they are: `embeddings`, `final norm`, `output head`, or tensor names. */
  parts: string[];
  /** Their names. */
  tensors: string[];
  /** The value. */
  value: ParameterValue;
};

/** One parameter over the layers and outside of them. */
export type ParameterCurves = {
  /** Its name in recipes. */
  name: string;
  /** Whose it is, for a parameter that every model has its own of. */
  source: ParameterSource | null;
  /** One sentence on what it does. */
  summary: string;
  /** The range in which its values usually lie. */
  usual: [number, number] | null;
  /** Its values over the layers; tensors with the same values are one group. */
  groups: CurveGroup[];
  /** Its values for tensors outside the layers. */
  outside: OutsideValue[];
};

/** What the values of a parameter are. */
export type ParameterKind = "number" | "bool" | "text";

/** Whom a parameter belongs to. */
export type ParameterScope = "global" | "model";

/** The owner of a parameter. */
export type ParameterSource = {
  /** The model. */
  model: number;
  /** 0 for the first mention of that model, 1 for the second and so on: a recipe may name a model twice. */
  mention: number;
};

/** A parameter of a method. */
export type ParameterSpec = {
  /** Its name under `parameters:`. */
  name: string;
  /** Whether each model has its own. */
  scope: ParameterScope;
  /** What its values are. */
  kind: ParameterKind;
  /** What it is when no level of the recipe sets it. */
  default: "required" | number | boolean | null;
  /** Values outside of this range are warned about. */
  usual: [number, number] | null;
  /** One sentence for the documentation. */
  summary: string;
};

/** The value of a parameter. */
export type ParameterValue = boolean | number | string | ParameterValue[] | { [name: string]: ParameterValue };

/** A model that another was made from. */
export type Parent = {
  /** Its name in the list, or else its label. */
  name: string;
  /** Its name in the recipe or card. */
  label: string;
  /** Whether it is in the list. */
  known: boolean;
};

/** The plan of a recipe. */
export type Plan = {
  /** The method's name in recipes. */
  method: string;
  /** The method's title. */
  title: string;
  /** The input models. */
  inputs: PlanInput[];
  /** Tensors of the result. */
  tensors: number;
  /** Elements of the result. */
  parameters: number;
  /** Layers of the result. */
  layers: number;
  /** The main type of the weights. */
  weights_type: string;
  /** The weight files. */
  files: PlanFile[];
  /** Dropped input tensors. */
  dropped: PlanDropped[];
  /** Bytes to read. */
  bytes_read: number;
  /** Bytes to write. */
  bytes_written: number;
  /** Maximum private memory of the merge. */
  memory: number;
  /** The estimated time, from earlier merges. */
  seconds_expected: number;
  /** Models that are not on this machine. */
  needs_download: MissingModel[];
};

/** A tensor that does not reach the result. */
export type PlanDropped = {
  /** Its name. */
  tensor: string;
  /** The model that has it. */
  model: string;
  /** Why. */
  reason: string;
};

/** A weight file of the result. */
export type PlanFile = {
  /** Its name. */
  name: string;
  /** Its size. */
  bytes: number;
};

/** A model that is read. */
export type PlanInput = {
  /** The model's name in the list. */
  name: string;
  /** Its name in the recipe. */
  label: string;
  /** Whether it is in the list. */
  known: boolean;
  /** Its tensors. */
  tensors: number;
  /** Elements of all tensors. */
  parameters: number;
  /** Its layers. */
  layers: number;
  /** Whether it is the base model. */
  base: boolean;
  /** Whether it provides the configuration and tokenizer. */
  donor: boolean;
};

/** A merge that was not written, as a model that speaks. */
export type PreviewAnswer = {
  /** Its name. */
  name: string;
  /** The model. */
  model: Model;
};

/** A name that nobody has. */
export type ProposedName = {
  /** The name. */
  name: string;
};

/** A model that is to be downloaded. */
export type PullRequest = {
  /** Its name on the hub, `organization/name`, perhaps with `@` and a revision. */
  model: string;
};

/** Models that were downloaded. */
export type PullResult = {
  /** Their names in the list. */
  models: string[];
  /** Bytes downloaded. */
  bytes: number;
};

/** A model that is to be published. */
export type PushRequest = {
  /** The model's name in the list. */
  model: string;
  /** The repository: `account/name`, or a name under the token's account (default: the generated name). */
  repository?: string | null;
  /** Whether the repository is private (default: true). */
  private?: boolean | null;
  /** The commit's message. */
  message?: string | null;
};

/** A model that was published. */
export type PushResult = {
  /** Its page. */
  url: string;
  /** Its commit, if known. */
  commit: string | null;
  /** Where it is. */
  repository: string;
  /** The model's name in the list. */
  model: string;
  /** When it was published. */
  at: number;
};

/** A recipe. */
export type RecipeText = {
  /** Its text, in mergekit's YAML. */
  recipe: string;
};

/** A run. */
export type Run = {
  /** Its number. */
  id: number;
  /** Increases with every change of a run, since an event can overtake a response. */
  version: number;
  /** What it does. */
  kind: RunKind;
  /** Its state. */
  state: RunState;
  /** A summary. */
  title: string;
  /** The output model or the subject. */
  model: string | null;
  /** The request. Long texts are truncated in lists. */
  request: RunRequest;
  /** When it was queued. */
  created: number;
  /** When it started. */
  started: number | null;
  /** When it ended. */
  ended: number | null;
  /** The current stage, such as `merging`. */
  stage: string | null;
  /** The finished amount of work. */
  done: number;
  /** The total amount of work, in bytes where applicable. */
  total: number;
  /** The recent speed, per second. */
  rate: number | null;
  /** Seconds left. */
  eta: number | null;
  /** Finished tensors of a merge. */
  tensors_done: number | null;
  /** Total tensors of a merge. */
  tensors: number | null;
  /** Its position, from 1, while queued. */
  queue_position: number | null;
  /** The error. */
  error: RunError | null;
  /** The result. */
  result: RunResult | null;
};

/** A run with its log. */
export type RunDetails = {
  /** Its number. */
  id: number;
  /** Increases with every change of a run, since an event can overtake a response. */
  version: number;
  /** What it does. */
  kind: RunKind;
  /** Its state. */
  state: RunState;
  /** A summary. */
  title: string;
  /** The output model or the subject. */
  model: string | null;
  /** The request. Long texts are truncated in lists. */
  request: RunRequest;
  /** When it was queued. */
  created: number;
  /** When it started. */
  started: number | null;
  /** When it ended. */
  ended: number | null;
  /** The current stage, such as `merging`. */
  stage: string | null;
  /** The finished amount of work. */
  done: number;
  /** The total amount of work, in bytes where applicable. */
  total: number;
  /** The recent speed, per second. */
  rate: number | null;
  /** Seconds left. */
  eta: number | null;
  /** Finished tensors of a merge. */
  tensors_done: number | null;
  /** Total tensors of a merge. */
  tensors: number | null;
  /** Its position, from 1, while queued. */
  queue_position: number | null;
  /** The error. */
  error: RunError | null;
  /** The result. */
  result: RunResult | null;
  /** Its log. */
  log: LogLine[];
};

/** The error. */
export type RunError = {
  /** What. */
  message: string;
  /** A hint. */
  hints: string[];
};

/** What a run does. */
export type RunKind = "merge" | "evaluate" | "difference" | "pull" | "push";

/** A line of a run's log. */
export type RunLine = {
  /** The run's number. */
  run: number;
  /** When it was written. */
  at: number;
  /** What it says. */
  text: string;
};

/** Runs, newest first. */
export type RunList = {
  /** As many as were asked for. */
  runs: Run[];
  /** Whether there are more. */
  more: boolean;
};

/** A request for a run. */
export type RunRequest = {
  kind: "merge";
} & MergeRequest | {
  kind: "evaluate";
} & EvaluateRequest | {
  kind: "difference";
} & DifferenceRequest | {
  kind: "pull";
} & PullRequest | {
  kind: "push";
} & PushRequest;

/** The result of a run, by kind. */
export type RunResult = MergeResult | EvaluateResult | DifferenceResult | PullResult | PushResult;

/** The state of a run. */
export type RunState = "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";

/** A number about a model. */
export type Score = {
  /** The model. */
  model: string;
  /** What was measured. */
  metric: Metric;
  /** The number. */
  value: number;
  /** Its standard error. */
  error: number | null;
  /** The number of tokens or questions. */
  count: number;
};

/** A server-sent event: its name and data. */
export type ServerEvent = {
  event: "hello";
  data: Nothing;
} | {
  event: "run";
  data: Run;
} | {
  event: "log";
  data: RunLine;
} | {
  event: "model";
  data: ModelChange;
} | {
  event: "models";
  data: Nothing;
} | {
  event: "reset";
  data: Nothing;
};

/** How bad it is. */
export type Severity = "error" | "warning" | "note";

/** Tensors of the layers with the same shares. */
export type ShareGroup = {
  /** What to call them: `all tensors`, `self_attn.*`, `the rest`. */
  name: string;
  /** Their names within a layer. */
  kinds: string[];
  /** For every layer the share of each model; `None` where there is no such tensor. */
  layers: (number[] | null)[];
};

/** How much of each model is in the result: the coefficients of its tensors. */
export type Shares = {
  /** True when the coefficients of every tensor are fractions that sum to 1. */
  fractions: boolean;
  /**
   * For every layer the share of each model, averaged over the layer's tensors by their size.
   * `None` for a layer without tensors that count.
   */
  layers: (number[] | null)[];
  /** The same for tensors with the same shares. A single group when all tensors of a layer agree. */
  groups: ShareGroup[];
  /** The shares outside the layers. */
  outside: OutsideShare[];
};

/** A place in a recipe's text. */
export type Span = {
  /** Line, from 1. */
  line: number;
  /** Column in characters, from 1. */
  column: number;
  /** Byte offset of the first character. */
  start: number;
  /** Byte offset behind the last character. */
  end: number;
};

/** The state of a model. */
export type StateAnswer = {
  /** Its state. */
  state: ModelState;
};

/** The machine and the studio's settings. */
export type System = {
  /** The version of Weightsmith. */
  version: string;
  /** The folder of the history. */
  data_folder: string;
  /** The folder for merged models. */
  models_folder: string;
  /** The configured folders. */
  folders: string[];
  /** The Hub, for search, downloads and publishing. */
  hub: HubAccess;
  /** Cores of the machine. */
  cores: number;
  /** Bytes of memory; 0 where the system does not tell. */
  memory_total: number;
  /** Bytes of memory that are free. */
  memory_available: number;
  /** Bytes that are free where models are made. */
  disk_free: number;
  /** Whether requests need a key. */
  needs_key: boolean;
};

/** Numbers about the task vectors A − base and B − base. */
export type TaskMeasures = {
  /** Elements that the base has as well. */
  elements: number;
  /** ‖A − base‖ / ‖base‖; `None` where the base is zero. */
  relative_length_a: number | null;
  /** ‖B − base‖ / ‖base‖; `None` where the base is zero. */
  relative_length_b: number | null;
  /** Cosine between the task vectors; `None` where one of them is zero. */
  cosine: number | null;
  /** Elements where both moved away from the base, in opposite directions. */
  sign_conflicts: number;
  /** `sign_conflicts / elements`. */
  sign_conflict_share: number;
};

/** A tensor. */
export type Tensor = {
  /** Its name. */
  name: string;
  /** Its type, such as `BF16`. */
  dtype: string;
  /** Its shape. */
  shape: number[];
  /** The number of elements. */
  elements: number;
  /** Its size. */
  bytes: number;
  /** The file that it is in. */
  file: string;
};

/** The tensors of a model. */
export type TensorList = {
  /** All of them together. */
  inspection: Inspection;
  /** Each, in the order of the files. */
  tensors: Tensor[];
};

/** Tensors of one name but for the layer's number, of one type and shape. */
export type TensorTemplate = {
  /** The name, with the layers in braces: `model.layers.{0..23}.mlp.up_proj.weight`. */
  name: string;
  /** Number of tensors. */
  tensors: number;
  /** Type of each. */
  dtype: string;
  /** Shape of each. */
  shape: number[];
  /** Elements of all of them. */
  elements: number;
};

/** The tensors of one type. */
export type TypeRow = {
  /** The type. */
  dtype: string;
  /** Number of tensors. */
  tensors: number;
  /** Number of elements. */
  elements: number;
  /** Their bytes. */
  bytes: number;
};

/** A way to use a model elsewhere: commands or code to be copied. */
export type Usage = {
  /** What it is for. */
  title: string;
  /** The language that it is in, such as `sh`. */
  language: string;
  /** The text. */
  code: string;
};

/** The vocabulary's size, by two witnesses. */
export type Vocabulary = {
  /** Rows of the input embedding. */
  rows: number | null;
  /** `vocab_size` of `config.json`. */
  config: number | null;
};

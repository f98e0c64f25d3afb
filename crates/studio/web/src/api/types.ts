// Made from the types in crates/studio/src/wire by `UPDATE_TYPES=1 cargo test -p weightsmith-studio --lib`.
// Times are seconds since 1970, sizes are bytes.

/** What `base_model` means to a method. */
export type BaseRule = "required" | "optional" | "ignored";

/** A model's card. */
export type Card = {
  /** Sanitised HTML. */
  html: string;
  /** What it was made from. */
  markdown: string;
};

/** What is wrong with a recipe, and what it would do. */
export type Check = {
  /** What is to be said of it, in the order of the text. */
  diagnostics: Diagnostic[];
  /** What it will do; none while something is wrong with it. */
  plan: Plan | null;
  /** What it does, layer by layer. */
  explanation: Explanation | null;
  /** Models of which the hub is being asked: check again a moment later. */
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

/** How a model differs from another: a map of layers and kinds of tensors. */
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
  /** Tensors outside of the layers. */
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

/** Two models that are to be compared. */
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

/** How far a tensor is from that of the other model. */
export type Distance = {
  /** The cosine between the two; none where one of them is zero. */
  cosine: number | null;
  /** The norm of the difference, as a multiple of the other tensor's. */
  relative: number | null;
  /** The share of elements that differ. */
  changed: number | null;
};

/** An answer that is no success. */
export type ErrorAnswer = {
  /** What is wrong. */
  error: ErrorBody;
  /** What is wrong with the recipe, where that is it. */
  diagnostics?: Diagnostic[] | null;
};

/** What is wrong, and what to do about it. */
export type ErrorBody = {
  /** A word that stays the same from version to version, such as `name_taken`. */
  code: string;
  /** What is wrong. */
  message: string;
  /** What to do about it. */
  hints: string[];
};

/** A model that is to be measured. */
export type EvaluateRequest = {
  /** The model's name in the table. */
  model: string;
  /** Models that are measured on the same. */
  against?: string[] | null;
  /** What to measure on. */
  data: EvaluationData;
};

/** What was measured. */
export type EvaluateResult = {
  /** What was measured. */
  evaluation: Evaluation;
};

/** What was measured of some models on the same data. */
export type Evaluation = {
  /** The run; none in the run's own result. */
  run: number | null;
  /** When. */
  at: number;
  /** On what. */
  data: Data;
  /** What came of it. */
  scores: Score[];
};

/** What to measure on: a text, or a file of one of the studio's folders. */
export type EvaluationData = {
  /** What it is. */
  kind: DataKind;
  /** What to call it. */
  name?: string | null;
  /** The text, or the questions, one of them in a line. */
  text?: string | null;
  /** The path of a file, where there is no text. */
  file?: string | null;
};

/** What was measured of a model. */
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

/** What a model's recipe does. */
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

/** Recipes to begin with. */
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
  /** Why one would want it. */
  summary: string;
  /** Its text. */
  recipe: string;
};

/** How its makers sample a model: what `generation_config.json` says. */
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

/** Whether inference hosts will take a model. */
export type Host = {
  /** Whether nothing stands against it. */
  ready: boolean;
  /** What was looked at. */
  checks: HostCheck[];
  /** The memory that it needs there. */
  memory: HostMemory[];
};

/** Something that hosts require. */
export type HostCheck = {
  /** What it is. */
  name: string;
  /** Whether the model has it. */
  state: CheckOutcome;
  /** Why. */
  message: string;
  /** What to do about it. */
  hint: string | null;
};

/** The memory that a model needs with weights of a size. */
export type HostMemory = {
  /** Bits of a weight. */
  bits: number;
  /** Bytes of the weights. */
  bytes: number;
  /** With a cache for a short context. */
  short_context: number | null;
  /** With a cache for the longest context. */
  full_context: number | null;
};

/** The hub for searches, downloads and publishing. */
export type HubAccess = {
  /** Its address. */
  endpoint: string;
  /** Whether it must not be asked. */
  offline: boolean;
  /** Whether there is a token. */
  logged_in: boolean;
};

/** A model of the hub. */
export type HubModel = {
  /** Its name, `organisation/name`. */
  name: string;
  /** Downloads in the last 30 days. */
  downloads: number;
  /** How many like it. */
  likes: number;
  /** When it was changed last. */
  updated: number | null;
  /** What it is for, such as `text-generation`. */
  task: string | null;
  /** The identifier of its licence. */
  license: string | null;
  /** Whether its licence must be accepted first. */
  gated: boolean;
};

/** Models of the hub. */
export type HubModels = {
  /** Those that have the name's parts. */
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
  /** What to call the model. */
  label: string;
  /** Its commit, where it comes from the hub. */
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
  /** The types of tensors, the one with most bytes first. */
  types: TypeRow[];
  /** The weight files. */
  files: FileRow[];
  /** Tensors that the index does not name. */
  unindexed: string[];
  /** Prefixes that were taken off all names. */
  wrappers: string[];
  /** Whether the embedding is the output matrix too; none without an embedding. */
  tied_embeddings: boolean | null;
  /** The vocabulary's size. */
  vocabulary: Vocabulary;
  /** What `config.json` says. */
  config: ConfigFacts;
  /** Where the chat template comes from. */
  chat_template: string | null;
  /** Tensors that differ in the number of their layer alone. */
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
  /** Replace a model of that name that was made here. */
  replace?: boolean | null;
  /** Have NaN and infinite numbers in the result. */
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
  /** What to call the model. */
  name: string;
  /** What it may do. */
  options?: MergeOptions | null;
};

/** A model that was made. */
export type MergeResult = {
  /** Its name in the table. */
  name: string;
  /** Its folder. */
  path: string;
  /** How it was made. */
  report: MergeReport;
  /** What the recipe did, in words. */
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
  /** Its shortest recipe. */
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
  /** Its name on the hub. */
  model: string;
  /** Bytes of its weights. */
  bytes: number;
};

/** What happens to an optional tensor that some inputs lack. */
export type MissingRule = "merge_rest" | "copy_lone" | "copy_lone_base" | "copy_base_or_skip";

/** A model of the table. */
export type Model = {
  /** Its name: in addresses, in requests for texts, in recipes. */
  name: string;
  /** How it came to be in the table. */
  origin: Origin;
  /** Its folder; none for what was not written. */
  path: string | null;
  /** `text-generation` for a model that speaks. */
  task: string | null;
  /** The class that its configuration names. */
  architecture: string | null;
  /** `model_type` of its configuration. */
  model_type: string | null;
  /** Elements of all tensors. */
  parameters: number | null;
  /** The number of parameters in short, such as `0.5B`. */
  size: string | null;
  /** Bytes of its weights. */
  bytes: number | null;
  /** The type that most weights have. */
  weights_type: string | null;
  /** Positions that it was made for. */
  context_trained: number | null;
  /** Tokens of a prompt and its answer together. */
  context_served: number | null;
  /** What it takes of a host's units. */
  concurrency_units: number | null;
  /** Its licence. */
  license: string | null;
  /** When it was made. */
  created: number | null;
  /** When it was published from here last. */
  published: number | null;
  /** The method that it was merged by. */
  method: string | null;
  /** The models that it was made from. */
  parents: Parent[];
  /** Tags of its card. */
  tags: string[];
  /** Where it stands. */
  state: ModelState;
  /** The share of it that is loaded, while it is being loaded. */
  progress: number | null;
  /** Why it does not speak. */
  error: string | null;
};

/** The state of a model. */
export type ModelChange = {
  /** The model. */
  name: string;
  /** Where it stands. */
  state: ModelState;
  /** The share of it that is loaded, while it is being loaded. */
  progress: number | null;
  /** Why it does not speak. */
  error: string | null;
};

/** A model with everything about it but its card, files and tensors. */
export type ModelDetails = {
  /** Its name: in addresses, in requests for texts, in recipes. */
  name: string;
  /** How it came to be in the table. */
  origin: Origin;
  /** Its folder; none for what was not written. */
  path: string | null;
  /** `text-generation` for a model that speaks. */
  task: string | null;
  /** The class that its configuration names. */
  architecture: string | null;
  /** `model_type` of its configuration. */
  model_type: string | null;
  /** Elements of all tensors. */
  parameters: number | null;
  /** The number of parameters in short, such as `0.5B`. */
  size: string | null;
  /** Bytes of its weights. */
  bytes: number | null;
  /** The type that most weights have. */
  weights_type: string | null;
  /** Positions that it was made for. */
  context_trained: number | null;
  /** Tokens of a prompt and its answer together. */
  context_served: number | null;
  /** What it takes of a host's units. */
  concurrency_units: number | null;
  /** Its licence. */
  license: string | null;
  /** When it was made. */
  created: number | null;
  /** When it was published from here last. */
  published: number | null;
  /** The method that it was merged by. */
  method: string | null;
  /** The models that it was made from. */
  parents: Parent[];
  /** Tags of its card. */
  tags: string[];
  /** Where it stands. */
  state: ModelState;
  /** The share of it that is loaded, while it is being loaded. */
  progress: number | null;
  /** Why it does not speak. */
  error: string | null;
  /** The recipe that it was made by. */
  recipe: string | null;
  /** What it was merged from, and its hashes. */
  lock: Lock | null;
  /** Whether it has a card. */
  has_card: boolean;
  /** Whether it has a chat template. */
  chat_template: boolean;
  /** The size of its vocabulary. */
  vocabulary: number | null;
  /** Its layers. */
  layers: number | null;
  /** Numbers of a position between two layers. */
  hidden_size: number | null;
  /** Heads of attention. */
  attention_heads: number | null;
  /** Heads of keys and values. */
  key_value_heads: number | null;
  /** Whether the embedding is the output matrix too. */
  tied_embeddings: boolean | null;
  /** How its makers sample it. */
  generation: Generation | null;
  /** How it is used elsewhere. */
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
  /** Its hash by the lock, which lists a file of that size. */
  blake3: string | null;
  /** What it is for. */
  kind: FileKind;
};

/** All models. */
export type ModelList = {
  /** Those that were given first, then previews, those made here, those of folders and of the cache. */
  models: Model[];
  /** The folders that are looked into. */
  folders: Folder[];
};

/** Where a model stands. */
export type ModelState = "cold" | "loading" | "warm" | "failed" | "broken";

/** An event that says all by its name. */
export type Nothing = Record<string, never>;

/** How a model came to be in the table. */
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

/** The shares of tensors outside of the layers. */
export type OutsideShare = {
  /** What they are: `embeddings`, `final norm`, `output head`, or tensor names. */
  parts: string[];
  /** Their names. */
  tensors: string[];
  /** The share of each model. */
  shares: number[];
};

/** A tensor outside of the layers. */
export type OutsideTensor = {
  /** The cosine between the two; none where one of them is zero. */
  cosine: number | null;
  /** The norm of the difference, as a multiple of the other tensor's. */
  relative: number | null;
  /** The share of elements that differ. */
  changed: number | null;
  /** Its name. */
  name: string;
};

/** The value of a parameter for tensors outside of the layers. */
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
  /** Its values for tensors outside of the layers. */
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
  /** Its name in the table; where it is not there, its label. */
  name: string;
  /** What the recipe or the card calls it. */
  label: string;
  /** Whether it is in the table. */
  known: boolean;
};

/** What a recipe will do. */
export type Plan = {
  /** The method's name in recipes. */
  method: string;
  /** The method's name in prose. */
  title: string;
  /** The models that are read. */
  inputs: PlanInput[];
  /** Tensors of the result. */
  tensors: number;
  /** Elements of the result. */
  parameters: number;
  /** Layers of the result. */
  layers: number;
  /** The type that most weights will have. */
  weights_type: string;
  /** The weight files. */
  files: PlanFile[];
  /** Tensors of the inputs that do not reach the result. */
  dropped: PlanDropped[];
  /** Bytes that are read. */
  bytes_read: number;
  /** Bytes that are written. */
  bytes_written: number;
  /** Private memory that the merge may use. */
  memory: number;
  /** How long it will take, by how fast earlier merges were. */
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
  /** Its name in the table. */
  name: string;
  /** What the recipe calls it. */
  label: string;
  /** Whether it is in the table. */
  known: boolean;
  /** Its tensors. */
  tensors: number;
  /** Elements of all tensors. */
  parameters: number;
  /** Its layers. */
  layers: number;
  /** Whether it is the base model. */
  base: boolean;
  /** Whether configuration and tokenizer are its. */
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
  /** Its name on the hub, `organisation/name`, perhaps with `@` and a revision. */
  model: string;
};

/** Models that were downloaded. */
export type PullResult = {
  /** Their names in the table. */
  models: string[];
  /** Bytes that came. */
  bytes: number;
};

/** A model that is to be published. */
export type PushRequest = {
  /** Its name in the table. */
  model: string;
  /** Where to: `account/name`, or a name under the token's account. The name that its lock proposes unless told. */
  repository?: string | null;
  /** Whether nobody else sees it; yes unless told. */
  private?: boolean | null;
  /** The commit's message. */
  message?: string | null;
};

/** A model that was published. */
export type PushResult = {
  /** Its page. */
  url: string;
  /** Its commit, where the hub tells. */
  commit: string | null;
  /** Where it is. */
  repository: string;
  /** Its name in the table. */
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
  /** Larger than that of everything told of runs before: an event may overtake an answer. */
  version: number;
  /** What it does. */
  kind: RunKind;
  /** How far it is, or how it ended. */
  state: RunState;
  /** What it does, in words. */
  title: string;
  /** The model that it makes or is about. */
  model: string | null;
  /** What was asked for. Of long texts in it only the beginning, but where a single run is asked for. */
  request: RunRequest;
  /** When it was asked for. */
  created: number;
  /** When it began. */
  started: number | null;
  /** When it ended. */
  ended: number | null;
  /** What is done now, such as `merging`. */
  stage: string | null;
  /** How much is done. */
  done: number;
  /** How much there is in all; bytes, where the work is about bytes. */
  total: number;
  /** How much is done in a second, lately. */
  rate: number | null;
  /** Seconds to go. */
  eta: number | null;
  /** Tensors of a merge that are done. */
  tensors_done: number | null;
  /** Tensors of a merge in all. */
  tensors: number | null;
  /** From 1, while it waits. */
  queue_position: number | null;
  /** What went wrong. */
  error: RunError | null;
  /** What came of it. */
  result: RunResult | null;
};

/** A run with its log. */
export type RunDetails = {
  /** Its number. */
  id: number;
  /** Larger than that of everything told of runs before: an event may overtake an answer. */
  version: number;
  /** What it does. */
  kind: RunKind;
  /** How far it is, or how it ended. */
  state: RunState;
  /** What it does, in words. */
  title: string;
  /** The model that it makes or is about. */
  model: string | null;
  /** What was asked for. Of long texts in it only the beginning, but where a single run is asked for. */
  request: RunRequest;
  /** When it was asked for. */
  created: number;
  /** When it began. */
  started: number | null;
  /** When it ended. */
  ended: number | null;
  /** What is done now, such as `merging`. */
  stage: string | null;
  /** How much is done. */
  done: number;
  /** How much there is in all; bytes, where the work is about bytes. */
  total: number;
  /** How much is done in a second, lately. */
  rate: number | null;
  /** Seconds to go. */
  eta: number | null;
  /** Tensors of a merge that are done. */
  tensors_done: number | null;
  /** Tensors of a merge in all. */
  tensors: number | null;
  /** From 1, while it waits. */
  queue_position: number | null;
  /** What went wrong. */
  error: RunError | null;
  /** What came of it. */
  result: RunResult | null;
  /** Its log. */
  log: LogLine[];
};

/** What went wrong. */
export type RunError = {
  /** What. */
  message: string;
  /** What to do about it. */
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

/** What somebody wants a run to do. */
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

/** What came of a run; its kind says which it is. */
export type RunResult = MergeResult | EvaluateResult | DifferenceResult | PullResult | PushResult;

/** How far a run is, or how it ended. */
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
  /** How many tokens or questions it was measured on. */
  count: number;
};

/** What pages are told: the name of a server-sent event, and its data. */
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
  /** The shares outside of the layers. */
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

/** Where a model stands. */
export type StateAnswer = {
  /** Where it stands. */
  state: ModelState;
};

/** The machine and the studio's settings. */
export type System = {
  /** The version of Weightsmith. */
  version: string;
  /** The folder of the history. */
  data_folder: string;
  /** The folder in which models are made. */
  models_folder: string;
  /** Folders whose models are shown. */
  folders: string[];
  /** The hub for searches, downloads and publishing. */
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
  /** How many numbers are in it. */
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

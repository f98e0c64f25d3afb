//! From a recipe to a plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use weightsmith_tensors::{CompanionError, DType, FormatName, TensorEntry, main_dtype};

use super::config::edited_config;
use super::files::{FileSettings, FinishedFiles, planned_files};
use super::models::{Model, Models};
use super::parameter_names::check_names;
use super::parameters::check_filters;
use super::slices::{Arranged, Inputs, PlannedSlice, SliceSource, arrange, donor, inputs};
use super::tensors::{Assembled, Assembly};
use super::{Action, DropReason, Dropped, Plan, tokenizer_settings};
use crate::methods::{self, BaseRule, MethodSpec};
use crate::model::LocateOptions;
use crate::recipe::Recipe;
use crate::{Diagnostic, Severity};

/// What a plan depends on besides the recipe.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Where models are looked for.
    pub locate: LocateOptions,
    /// Largest size of a shard file in bytes; one file when not set.
    pub shard_size: Option<u64>,
    /// Key of all randomness.
    pub seed: u64,
    /// Cut vocabularies of different lengths to the shortest instead of failing.
    pub truncate_embeddings: bool,
    /// The donor's tokenizer and other files come along.
    pub copy_companions: bool,
    /// Makes the model card and what belongs to it, where one is wanted.
    pub finished: Option<Arc<dyn FinishedFiles>>,
}

impl PlanOptions {
    /// One file, the default seed, vocabularies as they are, the donor's files, no card.
    pub fn new(locate: LocateOptions) -> Self {
        Self {
            locate,
            shard_size: None,
            seed: 0,
            truncate_embeddings: false,
            copy_companions: true,
            finished: None,
        }
    }
}

/// A plan with the opened models that it reads, and what the user should know about it.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The models, in the order of [`Plan::inputs`].
    pub models: Models,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Makes the files that tell what a run found.
    pub finished: Option<Arc<dyn FinishedFiles>>,
    /// Why the donor's files cannot come along: a run fails with it.
    pub companion_error: Option<Arc<CompanionError>>,
}

/// Plans a merge from a recipe and the headers of its models.
///
/// # Errors
/// All problems that were found, at least one of them an error, warnings among them.
pub fn build(recipe: &Recipe, options: &PlanOptions) -> Result<Planned, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let method = match methods::find_or_explain(&recipe.merge_method) {
        Ok(method) => Some(method),
        Err(unknown) => {
            diagnostics.push(*unknown);
            None
        }
    };
    if let Some(method) = method {
        check_names(recipe, method, &mut diagnostics);
        check_base(recipe, method, &mut diagnostics);
    }
    diagnostics.extend(overridden_architectures(recipe));
    let mut models = Models::default();
    let arranged = arrange(recipe, &mut models, &options.locate, &mut diagnostics);
    models.tell_apart();
    let donor = arranged.as_ref().map(Arranged::donor);
    let refused = tokenizer_settings::check(recipe, models.as_slice(), donor, arranged.is_some());
    let (Some(method), Some(arranged)) = (method, arranged) else {
        diagnostics.extend(refused);
        return Err(diagnostics);
    };
    let found = plan_arranged((recipe, method, &arranged), models, options, diagnostics);
    // what is refused whatever the models are hides nothing that is wrong with them
    match found {
        Ok(mut planned) if !has_error(&refused) => {
            planned.diagnostics.extend(refused);
            Ok(planned)
        }
        Ok(Planned { diagnostics, .. }) | Err(diagnostics) => {
            Err(diagnostics.into_iter().chain(refused).collect())
        }
    }
}

/// Plans what has a method and models.
fn plan_arranged(
    (recipe, method, arranged): (&Recipe, &'static MethodSpec, &Arranged<'_>),
    models: Models,
    options: &PlanOptions,
    mut diagnostics: Vec<Diagnostic>,
) -> Result<Planned, Vec<Diagnostic>> {
    let Arranged { slices, base } = arranged;
    for slice in slices {
        check_count(recipe, slice, method, models.as_slice(), &mut diagnostics);
    }
    check_quantized(slices, method, models.as_slice(), &mut diagnostics);
    if has_error(&diagnostics) {
        return Err(diagnostics);
    }
    let dtype = recipe
        .out_dtype
        .as_ref()
        .or(recipe.dtype.as_ref())
        .map(|dtype| dtype.value);
    let assembly = Assembly::new(
        method,
        models.as_slice(),
        slices,
        dtype,
        options.truncate_embeddings,
    );
    let (assembled, found) = assembly.assemble();
    diagnostics.extend(found);
    let names: BTreeSet<&str> = models
        .as_slice()
        .iter()
        .flat_map(|model| model.source.tensors())
        .map(|tensor| tensor.name.as_str())
        .chain(assembled.tensors.iter().map(|tensor| tensor.name.as_str()))
        .collect();
    check_filters(recipe, &names, &mut diagnostics);
    if has_error(&diagnostics) {
        return Err(diagnostics);
    }
    let draft = Draft {
        method,
        slices,
        base: *base,
        options,
    };
    let plan = draft.finish(models.as_slice(), assembled, &mut diagnostics);
    let Some(mut plan) = plan.filter(|_| !has_error(&diagnostics)) else {
        return Err(diagnostics);
    };
    let settings = FileSettings {
        recipe: &recipe.text,
        copy_companions: options.copy_companions,
        finished: options.finished.as_deref(),
    };
    let (files, companion_error) = planned_files(&plan, models.as_slice(), &settings);
    plan.files = files;
    Ok(Planned {
        plan,
        models,
        diagnostics,
        finished: options.finished.clone(),
        companion_error: companion_error.map(Arc::new),
    })
}

fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// What becomes of `override_architecture`. mergekit names the class with it by whose table it reads a model, and which the
/// result's `config.json` gets.
fn overridden_architectures(recipe: &Recipe) -> Vec<Diagnostic> {
    let mut known = BTreeSet::new();
    let overridden = recipe.references().into_iter().filter_map(|reference| {
        let name = reference.value.override_architecture.as_deref()?;
        let is_new = known.insert((reference.value.raw.as_str(), name));
        is_new.then(|| {
            let message = format!("`override_architecture: {name}` changes nothing");
            Diagnostic::warning(message, reference.span).hint(
                "tensors are found by the names in the checkpoint, for any architecture; `architectures` in `config.json` stays the donor's",
            )
        })
    });
    overridden.collect()
}

fn check_base(recipe: &Recipe, method: &MethodSpec, diagnostics: &mut Vec<Diagnostic>) {
    let of_slices = matches!(
        inputs(recipe),
        Some((Inputs::Slices(slices), _)) if slices.iter().all(|slice| slice.base_model.is_some())
    );
    if method.base == BaseRule::Required && recipe.base_model.is_none() && !of_slices {
        diagnostics.push(
            Diagnostic::error(
                format!("`{}` needs a `base_model`", method.name),
                recipe.merge_method.span,
            )
            .hint("name one of the models under `base_model:`"),
        );
    }
}

fn check_count(
    recipe: &Recipe,
    slice: &PlannedSlice<'_>,
    method: &MethodSpec,
    models: &[Model],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let count = method.counted(slice.sources.len(), slice.base.is_some());
    if method.base == BaseRule::Required && slice.base.is_none() {
        if recipe.base_model.is_none() {
            // said once, where the method is named
            return;
        }
        diagnostics.push(
            Diagnostic::error(
                "the base model is not among the sources of this slice",
                slice.span,
            )
            .hint(format!(
                "`{}` reads the base's layers too: add it with its `layer_range`",
                method.name
            )),
        );
        return;
    }
    if method.inputs.holds(count) {
        return;
    }
    let expected = match (method.inputs.min, method.inputs.max) {
        (min, Some(max)) if min == max => format!("{min}"),
        (min, Some(max)) => format!("{min} to {max}"),
        (min, None) => format!("at least {min}"),
    };
    let is_one = expected == "1" || expected.ends_with(" 1");
    let mut models_word = if is_one { "model" } else { "models" }.to_owned();
    // those that count
    let mut sources: Vec<&SliceSource<'_>> = slice.sources.iter().collect();
    if let Some(base) = slice.base.filter(|_| method.base == BaseRule::Optional) {
        sources.remove(base);
        models_word.push_str(" besides the base");
    }
    let odd = method
        .inputs
        .max
        .unwrap_or(0)
        .min(sources.len().saturating_sub(1));
    let diagnostic = Diagnostic::error(
        format!(
            "`{}` merges {expected} {models_word}, here {} {count}",
            method.name,
            if count == 1 { "is" } else { "are" }
        ),
        sources.get(odd).map_or(slice.span, |source| source.span),
    );
    diagnostics.push(match hint_at_base(slice, method, models) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    });
}

/// What the base has to do with a wrong number of inputs.
fn hint_at_base(slice: &PlannedSlice<'_>, method: &MethodSpec, models: &[Model]) -> Option<String> {
    let base = &slice.sources[slice.base?];
    let label = models[base.model].label();
    match (method.base, base.parameters) {
        (BaseRule::Optional, None) => None,
        (BaseRule::Optional, Some(_)) => Some(format!(
            "the base (`{label}`) is what changes are measured from and is not merged itself; without `base_model` it is merged like the others"
        )),
        (_, None) => Some(format!(
            "`base_model` (`{label}`) is not listed under `models:` and counts as another model; use one of those listed"
        )),
        (_, Some(_)) => None,
    }
}

/// Quantised weights are codes that need their scales: they can be moved, not averaged.
fn check_quantized(
    slices: &[PlannedSlice<'_>],
    method: &MethodSpec,
    models: &[Model],
    diagnostics: &mut Vec<Diagnostic>,
) {
    if method.name == "passthrough" {
        return;
    }
    let used: BTreeSet<usize> = slices
        .iter()
        .flat_map(|slice| &slice.sources)
        .map(|source| source.model)
        .collect();
    for model in used.into_iter().map(|index| &models[index]) {
        let Some(quantization) = model
            .config
            .as_ref()
            .and_then(|c| c.value().get("quantization_config"))
        else {
            continue;
        };
        let kind = quantization
            .get("quant_method")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("unknown");
        diagnostics.push(
            Diagnostic::error(
                format!(
                    "`{}` is quantized ({kind}), which is not supported yet",
                    model.label()
                ),
                slices
                    .iter()
                    .flat_map(|s| &s.sources)
                    .find(|s| models[s.model].label() == model.label())
                    .map(|s| s.span),
            )
            .hint("merge the full-precision models and quantize the result"),
        );
    }
}

/// What is known when all tensors are planned.
struct Draft<'a> {
    method: &'static MethodSpec,
    slices: &'a [PlannedSlice<'a>],
    base: Option<usize>,
    options: &'a PlanOptions,
}

impl Draft<'_> {
    fn finish(
        &self,
        models: &[Model],
        assembled: Assembled,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Plan> {
        let donor = donor(self.slices, self.base);
        let entries: Vec<TensorEntry> = assembled
            .tensors
            .iter()
            .map(|tensor| TensorEntry {
                name: tensor.name.clone(),
                info: tensor.info.clone(),
            })
            .collect();
        let format = FormatName::default();
        let layout = match format.format().layout(&entries, self.options.shard_size) {
            Ok(layout) => layout,
            Err(error) => {
                diagnostics.push(Diagnostic::error(error.to_string(), None));
                return None;
            }
        };
        let config = edited_config(
            &models[donor],
            donor,
            &assembled,
            main_float(&entries),
            diagnostics,
        );
        let dropped = dropped(models, &assembled, self.slices);
        warn_about_dropped(&dropped, models, diagnostics);
        Some(Plan {
            method: self.method.name.to_owned(),
            inputs: models.iter().map(Model::planned).collect(),
            base: self.base,
            donor,
            dropped,
            bytes_read: bytes_read(&assembled, models),
            bytes_written: layout.file_bytes(),
            layers: assembled.layers,
            tensors: assembled.tensors,
            format,
            layout,
            config,
            seed: self.options.seed,
            files: Vec::new(),
        })
    }
}

/// The float type that most of the result's elements have.
fn main_float(entries: &[TensorEntry]) -> Option<DType> {
    let tensors = entries.iter().map(|entry| &entry.info);
    main_dtype(tensors.filter(|tensor| tensor.dtype.is_plain_float()))
}

/// The source tensors that an action is made of.
fn sources(action: &Action) -> Vec<&super::SourceTensor> {
    match action {
        Action::Merge(operation) => operation.sources.iter().collect(),
        Action::Copy {
            source,
            equal,
            operation,
        } => {
            let of_operation = operation.iter().flat_map(|operation| &operation.sources);
            std::iter::once(source)
                .chain(equal)
                .chain(of_operation)
                .collect()
        }
    }
}

/// Every input tensor that no action names, with the reason.
fn dropped(models: &[Model], assembled: &Assembled, slices: &[PlannedSlice<'_>]) -> Vec<Dropped> {
    let used: BTreeSet<(usize, &str)> = assembled
        .tensors
        .iter()
        .flat_map(|tensor| sources(&tensor.action))
        .map(|source| (source.input, source.tensor.as_str()))
        .collect();
    let mut dropped = Vec::new();
    for (input, model) in models.iter().enumerate() {
        for tensor in model
            .source
            .tensors()
            .iter()
            .filter(|tensor| !used.contains(&(input, tensor.name.as_str())))
        {
            let left_out = assembled.left_out.get(&(input, tensor.name.clone()));
            dropped.push(Dropped {
                input,
                tensor: tensor.name.clone(),
                reason: left_out
                    .cloned()
                    .unwrap_or_else(|| reason(model, &tensor.name, input, slices)),
            });
        }
        for tensor in model.source.unindexed() {
            dropped.push(Dropped {
                input,
                tensor: tensor.name.clone(),
                reason: DropReason::NotIndexed,
            });
        }
    }
    dropped
}

fn reason(model: &Model, tensor: &str, input: usize, slices: &[PlannedSlice<'_>]) -> DropReason {
    let architecture = &model.architecture;
    if let Some(position) = architecture.layer_of(tensor)
        && Some(position.stack) == architecture.main_stack()
    {
        return DropReason::UnusedLayer {
            layer: position.index,
        };
    }
    if architecture.tied_source(tensor).is_some() {
        return DropReason::TiedHead;
    }
    let ends = [slices.first(), slices.last()];
    let at_ends = ends
        .into_iter()
        .flatten()
        .flat_map(|slice| &slice.sources)
        .any(|source| source.model == input);
    if at_ends {
        DropReason::OtherSide
    } else {
        DropReason::NotAtTheEnds
    }
}

/// Says what is lost where the user did not choose it: anything but layers that slices leave out.
fn warn_about_dropped(dropped: &[Dropped], models: &[Model], diagnostics: &mut Vec<Diagnostic>) {
    for (input, model) in models.iter().enumerate() {
        let unexpected: Vec<&Dropped> = dropped
            .iter()
            .filter(|d| d.input == input && d.reason == DropReason::NotIndexed)
            .collect();
        if let Some(first) = unexpected.first() {
            diagnostics.push(Diagnostic::warning(
                format!(
                    "`{}`: {} tensors in its files are not in its index and are ignored, starting with `{}`",
                    model.label(),
                    unexpected.len(),
                    first.tensor
                ),
                None,
            ));
        }
    }
}

fn bytes_read(assembled: &Assembled, models: &[Model]) -> u64 {
    let size = |source: &super::SourceTensor| {
        let model = &models[source.input].source;
        model
            .find(&source.tensor)
            .map_or(0, |tensor| model.tensors()[tensor].info.bytes())
    };
    assembled
        .tensors
        .iter()
        .map(|tensor| match &tensor.action {
            Action::Copy { source, equal, .. } => {
                size(source) + equal.iter().map(size).sum::<u64>()
            }
            Action::Merge(operation) => operation.sources.iter().map(size).sum::<u64>(),
        })
        .sum()
}

//! What is in a checkpoint: everything that headers and `config.json` tell.

mod config_facts;
mod error;
mod inspection;
mod templates;

use std::collections::BTreeMap;

use weightsmith_tensors::{DType, ModelSource, TensorEntry};

pub(crate) use config_facts::context_length;
pub use error::InspectError;
pub use inspection::{
    ConfigFacts, FileRow, Inspection, Stack, Template, TensorRow, TypeRow, Vocabulary,
};

use weightsmith::architecture::Architecture;
use weightsmith::model::Opened;
use weightsmith::output::ConfigFile;

/// Gathers what the headers of a model and its `config.json` say.
///
/// # Errors
/// When the checkpoint or the config is not sound.
pub fn inspect(model: &Opened) -> Result<Inspection, InspectError> {
    let source = model.source.as_ref();
    let config = ConfigFile::of(source)?;
    let config = config.as_ref().map(ConfigFile::value);
    let tensors = source.tensors();
    let architecture = Architecture::infer(config, tensors);
    Ok(Inspection {
        label: model.label.clone(),
        revision: model.kind.revision().map(str::to_owned),
        description: architecture.to_string(),
        model_type: architecture.model_type().map(str::to_owned),
        parameters: tensors.iter().map(|tensor| tensor.info.elements()).sum(),
        tensor_count: tensors.len(),
        bytes: tensors.iter().map(|tensor| tensor.info.bytes()).sum(),
        layers: architecture.layers(),
        stacks: stacks(&architecture),
        types: types(tensors),
        files: files(source),
        unindexed: source
            .unindexed()
            .iter()
            .map(|tensor| tensor.name.clone())
            .collect(),
        wrappers: source.wrappers().to_vec(),
        tied_embeddings: architecture
            .embedding()
            .is_some()
            .then(|| architecture.is_tied()),
        vocabulary: Vocabulary {
            rows: architecture.vocabulary_rows(),
            config: architecture.config_vocab_size(),
        },
        config: config.map(config_facts::read).unwrap_or_default(),
        chat_template: config_facts::chat_template(source)?.map(str::to_owned),
        templates: templates::fold(tensors, &architecture),
        tensors: rows(source),
    })
}

fn stacks(architecture: &Architecture) -> Vec<Stack> {
    let main = architecture.main_stack();
    let stack = |(index, stack): (usize, &weightsmith::architecture::LayerStack)| Stack {
        prefix: stack.prefix.clone(),
        main: Some(index) == main,
        layers: stack.present,
        kinds: stack.templates,
        parameters: stack.elements,
    };
    architecture
        .stacks()
        .iter()
        .enumerate()
        .map(stack)
        .collect()
}

/// A row for each type, the one with most bytes first.
fn types(tensors: &[TensorEntry]) -> Vec<TypeRow> {
    let mut rows: BTreeMap<&str, TypeRow> = BTreeMap::new();
    for tensor in tensors {
        let dtype: DType = tensor.info.dtype;
        let row = rows.entry(dtype.name()).or_insert(TypeRow {
            dtype,
            tensors: 0,
            elements: 0,
            bytes: 0,
        });
        row.tensors += 1;
        row.elements += tensor.info.elements();
        row.bytes += tensor.info.bytes();
    }
    let mut rows: Vec<TypeRow> = rows.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    rows
}

fn files(model: &dyn ModelSource) -> Vec<FileRow> {
    let mut rows: Vec<FileRow> = model
        .weight_files()
        .iter()
        .map(|file| FileRow {
            name: file.name.clone(),
            bytes: file.size,
            tensors: 0,
        })
        .collect();
    for file in (0..model.tensors().len()).filter_map(|tensor| model.file_of(tensor)) {
        rows[file].tensors += 1;
    }
    rows
}

fn rows(model: &dyn ModelSource) -> Vec<TensorRow> {
    let file = |tensor: usize| {
        let file = model.file_of(tensor)?;
        Some(model.weight_files()[file].name.clone())
    };
    let row = |(index, entry): (usize, &TensorEntry)| TensorRow {
        name: entry.name.clone(),
        dtype: entry.info.dtype,
        shape: entry.info.shape.clone(),
        file: file(index).unwrap_or_default(),
    };
    model.tensors().iter().enumerate().map(row).collect()
}

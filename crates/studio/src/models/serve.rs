//! Models of the table as models that speak.

use std::sync::Arc;

use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_report::host::concurrency_units;
use weightsmith_server::{CountedSource, LoadProgress, ModelFacts, ServedModel};
use weightsmith_tensors::Checkpoint;

use super::Entry;

/// The model for a server's registry; nothing for one that cannot speak.
pub(super) fn served(
    entry: &Entry,
    pool: &Arc<Pool>,
    options: DecoderOptions,
) -> Option<ServedModel> {
    let facts = &entry.facts;
    let folder = entry.folder.clone()?;
    if facts.broken.is_some() || facts.silent.is_some() {
        return None;
    }
    let pool = Arc::clone(pool);
    let load = {
        let folder = folder.clone();
        move |progress: &LoadProgress| {
            let source = Checkpoint::open(&folder).map_err(|error| error.to_string())?;
            let source = CountedSource::new(Arc::new(source), progress.clone());
            Model::open_source(Arc::new(source), Arc::clone(&pool), options)
                .map_err(|error| error.to_string())
        }
    };
    Some(
        ServedModel::new(
            &entry.name,
            served_facts(entry, options.quantize_q8_0),
            load,
        )
        .in_folder(folder),
    )
}

fn served_facts(entry: &Entry, quantized: bool) -> ModelFacts {
    let facts = &entry.facts;
    let parameters = facts.parameters.unwrap_or_default();
    ModelFacts {
        is_merge: false,
        parameters,
        // eight bits for each weight, and sixteen for each 32
        bytes: if quantized {
            parameters / 32 * 34
        } else {
            facts.bytes.unwrap_or_default()
        },
        weights_type: if quantized {
            "Q8_0".to_owned()
        } else {
            facts.weights_type.clone().unwrap_or_default()
        },
        architecture: facts
            .architecture
            .clone()
            .or_else(|| facts.model_type.clone())
            .unwrap_or_else(|| "unknown".to_owned()),
        context_trained: facts.context.unwrap_or_default() as usize,
        vocabulary: facts.vocabulary.unwrap_or_default() as usize,
        concurrency_units: concurrency_units(parameters),
        created: facts.created.unwrap_or_default(),
    }
}

//! Whether the tensors have the shapes that a host knows.
//!
//! Hosts keep a model's graph ready for a known base; a tensor of another shape does not fit it. The base is one that the lock or the card
//! names, else what follows from `config.json`.

use std::collections::BTreeMap;

use super::report::{HostCheck, Requirement};
use super::{Evidence, some_of};
use weightsmith::model::Opened;

const THIS: Requirement = Requirement::Shapes;

/// How a model's tensors differ from those of a base.
struct Differences {
    /// Tensors of another shape, the words for it behind their names.
    shapes: Vec<String>,
    /// Of vocabulary tensors alone: rows here and in the base.
    rows: Option<(u64, u64)>,
    missing: Vec<String>,
    added: Vec<String>,
}

impl Differences {
    fn none(&self) -> bool {
        self.shapes.is_empty() && self.missing.is_empty() && self.added.is_empty()
    }
}

pub(super) fn check(evidence: &Evidence<'_>) -> HostCheck {
    if evidence.tensors.is_empty() {
        return HostCheck::failed(
            THIS,
            "there are no weights to check",
            "see `safetensors` above",
        );
    }
    let architecture = &evidence.architecture;
    if let (Some(rows), Some(stated)) = (
        architecture.vocabulary_rows(),
        architecture.config_vocab_size(),
    ) && rows != stated
    {
        return HostCheck::failed(
            THIS,
            format!("the embedding has {rows} rows, but config.json says {stated}"),
            "set `vocab_size` in config.json to the number of rows",
        );
    }
    let bases = evidence.subject.bases;
    let compared: Vec<(&Opened, Differences)> = bases
        .iter()
        .map(|base| (base, from_base(evidence, base)))
        .collect();
    if let Some((base, _)) = compared.iter().find(|(_, differences)| differences.none()) {
        return HostCheck::passed(THIS, format!("those of `{}`", base.label));
    }
    if let Some((base, differences)) = compared.first() {
        return explain(differences, &format!("`{}`", base.label));
    }
    match &evidence.subject.speech.expected {
        Some(expected) => {
            let expected: BTreeMap<&str, &[u64]> = expected
                .iter()
                .map(|tensor| (tensor.name.as_str(), &tensor.shape[..]))
                .collect();
            let mut differences = differences(evidence, &expected);
            // buffers that some versions write and others do not
            differences.added.clear();
            if differences.none() {
                HostCheck::passed(THIS, "match config.json; no base is on this machine")
            } else {
                explain(&differences, "config.json")
            }
        }
        None => HostCheck::warned(
            THIS,
            "nothing to compare with: no base is on this machine, and the family is unknown",
            "download its base model with `weightsmith pull`, or compare with `weightsmith diff`",
        ),
    }
}

fn from_base(evidence: &Evidence<'_>, base: &Opened) -> Differences {
    let expected: BTreeMap<&str, &[u64]> = base
        .source
        .tensors()
        .iter()
        .map(|tensor| (tensor.name.as_str(), &tensor.info.shape[..]))
        .collect();
    let mut found = differences(evidence, &expected);
    // a head that is the embedding may be written or not
    let is_copy =
        |name: &String| evidence.architecture.is_tied() && evidence.architecture.is_head(name);
    found.missing.retain(|name| !is_copy(name));
    found.added.retain(|name| !is_copy(name));
    found
}

fn differences(evidence: &Evidence<'_>, expected: &BTreeMap<&str, &[u64]>) -> Differences {
    let mut found = Differences {
        shapes: Vec::new(),
        rows: None,
        missing: Vec::new(),
        added: Vec::new(),
    };
    let mut only_rows = true;
    for tensor in evidence.tensors {
        let Some(shape) = expected.get(tensor.name.as_str()) else {
            found.added.push(tensor.name.clone());
            continue;
        };
        if tensor.info.shape == *shape {
            continue;
        }
        found.shapes.push(format!(
            "{} ({:?}, not {shape:?})",
            tensor.name, tensor.info.shape
        ));
        match evidence.architecture.vocabulary_tensor(&tensor.name) {
            Some(vocabulary) if shape.len() == tensor.info.shape.len() => {
                let axis = vocabulary.axis;
                found.rows = Some((tensor.info.shape[axis], shape[axis]));
            }
            _ => only_rows = false,
        }
    }
    if !only_rows {
        found.rows = None;
    }
    let names: std::collections::BTreeSet<&str> = evidence
        .tensors
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    let missing = expected.keys().filter(|name| !names.contains(*name));
    found.missing = missing.map(|name| (*name).to_owned()).collect();
    found
}

fn explain(differences: &Differences, base: &str) -> HostCheck {
    let Differences {
        shapes,
        rows,
        missing,
        added,
    } = differences;
    if let (Some((here, there)), true) = (rows, missing.is_empty() && added.is_empty()) {
        return HostCheck::failed(
            THIS,
            format!("the vocabulary has {here} rows, that of {base} {there}"),
            "hosts do not accept resized embeddings: merge models with the base's vocabulary size",
        );
    }
    if !shapes.is_empty() {
        return HostCheck::failed(
            THIS,
            format!("shapes differ from {base}: {}", some_of(shapes)),
            "hosts accept only the shapes of a base that they know",
        );
    }
    let (word, names) = if missing.is_empty() {
        ("has", added)
    } else {
        ("lacks", missing)
    };
    let tensors = if names.len() == 1 {
        "tensor"
    } else {
        "tensors"
    };
    HostCheck::failed(
        THIS,
        format!(
            "compared with {base} it {word} {} {tensors}: {}",
            names.len(),
            some_of(names)
        ),
        "hosts accept only the layers of a base that they know; ask yours about models with added or removed layers",
    )
}

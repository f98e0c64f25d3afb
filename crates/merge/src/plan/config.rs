//! The result's `config.json`: the donor's, with what the merge changes.

use weightsmith_tensors::DType;

use super::models::Model;
use super::tensors::{Assembled, Head};
use crate::Diagnostic;
use crate::output::ConfigEdit;

/// The donor's config with layers, vocabulary, tie and type as the result has them; nothing where the donor has none.
pub(super) fn edited_config(
    model: &Model,
    donor: usize,
    assembled: &Assembled,
    dtype: Option<DType>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<String> {
    let Some(config) = &model.config else {
        diagnostics.push(Diagnostic::warning(
            format!(
                "`{}` has no config.json, so the result has none either",
                model.label()
            ),
            None,
        ));
        return None;
    };
    let mut edits = Vec::new();
    edits.extend(dtype.map(ConfigEdit::DType));
    let layers = donor_layers(model, donor, assembled, diagnostics);
    let unchanged = (0..model.architecture.layers()).eq(layers.iter().copied());
    if !unchanged && !layers.is_empty() {
        edits.push(ConfigEdit::Layers(layers));
    }
    edits.extend(vocabulary(model, assembled, diagnostics).map(ConfigEdit::VocabSize));
    edits.extend(tie(model, assembled).map(ConfigEdit::TieWordEmbeddings));
    match config.edited(&model.architecture, &edits) {
        Ok(edited) => {
            diagnostics.extend(
                edited
                    .notes
                    .into_iter()
                    .map(|note| Diagnostic::warning(note, None)),
            );
            Some(edited.text)
        }
        Err(error) => {
            diagnostics.push(Diagnostic::error(
                format!("`{}`: {error}", model.label()),
                None,
            ));
            None
        }
    }
}

/// The rows of the result's embedding, where they are not the donor's; complains where the head has another number.
fn vocabulary(
    model: &Model,
    assembled: &Assembled,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<u64> {
    let architecture = &model.architecture;
    let own = architecture.embedding()?;
    let loose = || assembled.tensors.iter().filter(|t| t.layer.is_none());
    let embedding = loose().find(|tensor| tensor.name == own.name)?;
    let rows = *embedding.info.shape.get(own.axis)?;
    let own_head = architecture.head();
    if let Some(head) = loose().find(|tensor| architecture.is_head(&tensor.name))
        && let Some(&head_rows) = head.info.shape.get(own_head.map_or(0, |head| head.axis))
        && head_rows != rows
        && own_head.is_none_or(|head| head.rows == own.rows)
    {
        diagnostics.push(
            Diagnostic::error(
                format!(
                    "the first layers' model has {rows} tokens (`{}`), the last layers' has {head_rows} (`{}`)",
                    embedding.name, head.name
                ),
                None,
            )
            .hint("use models with the same vocabulary for the first and the last layers"),
        );
    }
    (rows != own.rows).then_some(rows)
}

/// Whether the head is the embedding, where that is not so in the donor.
fn tie(model: &Model, assembled: &Assembled) -> Option<bool> {
    let tied = assembled.head? == Head::Tied;
    (tied != model.architecture.is_tied()).then_some(tied)
}

/// For every layer of the result the donor's layer whose settings it takes: its own source's number where the donor is
/// not among the sources, since stacked models have the same kinds of layers at the same depths.
fn donor_layers(
    model: &Model,
    donor: usize,
    assembled: &Assembled,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<u64> {
    let counted = model.architecture.counted_layers();
    let mut is_deeper = false;
    let layers = assembled
        .layers
        .iter()
        .filter_map(|layer| {
            let own = layer.sources.iter().find(|(model, _)| *model == donor);
            own.map(|(_, index)| *index).or_else(|| {
                let (_, index) = *layer.sources.first()?;
                is_deeper |= index >= counted;
                Some(index.min(counted.saturating_sub(1)))
            })
        })
        .collect();
    if is_deeper {
        diagnostics.push(Diagnostic::warning(
            format!(
                "`{}` provides config.json and has {counted} layers: deeper layers of other models use the per-layer settings of its last one",
                model.label()
            ),
            None,
        ));
    }
    layers
}

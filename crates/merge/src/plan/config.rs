//! The result's `config.json`: the donor's, with what the merge changes.

use weightsmith_tensors::DType;

use super::models::Model;
use super::tensors::Assembled;
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
    let layers = donor_layers(donor, assembled);
    let unchanged = (0..model.architecture.layers()).eq(layers.iter().copied());
    if !unchanged && !layers.is_empty() {
        edits.push(ConfigEdit::Layers(layers));
    }
    edits.extend(assembled.vocabulary.map(ConfigEdit::VocabSize));
    if assembled.unties {
        edits.push(ConfigEdit::TieWordEmbeddings(false));
    }
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

/// For every layer of the result the donor's layer whose settings it takes: its own source's number where the donor is
/// not among the sources, since stacked models have the same kinds of layers at the same depths.
fn donor_layers(donor: usize, assembled: &Assembled) -> Vec<u64> {
    assembled
        .layers
        .iter()
        .filter_map(|layer| {
            let own = layer.sources.iter().find(|(model, _)| *model == donor);
            own.or(layer.sources.first()).map(|(_, index)| *index)
        })
        .collect()
}

//! One tensor of the result: its type, its shape and the operation that makes it.

use weightsmith_tensors::{DType, TensorInfo};

use super::parameters::NamedTensor;
use super::refusal::refusal;
use super::slices::PlannedSlice;
use super::tensors::{Assembly, Wanted};
use super::{Action, DropReason, Operation, PlannedTensor, SourceTensor};
use crate::Diagnostic;
use crate::methods::Missing;

/// A source that has the tensor.
#[derive(Debug)]
struct Present {
    /// Position in the slice.
    position: usize,
    /// Name of the model.
    label: String,
    source: SourceTensor,
    info: TensorInfo,
}

/// The sources of a tensor.
#[derive(Debug)]
struct FoundSources {
    present: Vec<Present>,
    /// Whether the first of them is copied, whatever its parameters, because others lack the tensor.
    is_copied: bool,
}

impl Assembly<'_> {
    /// Plans one tensor, or complains.
    pub(super) fn tensor(&mut self, slice: &PlannedSlice<'_>, wanted: &Wanted<'_>) {
        let Some(FoundSources { present, is_copied }) = self.find_all(slice, wanted) else {
            return;
        };
        let lead = slice
            .base
            .and_then(|base| present.iter().position(|source| source.position == base))
            .unwrap_or(0);
        let Some(shape) = self.shape(slice, wanted, &present) else {
            return;
        };
        let Some(dtype) = self.dtype(slice, wanted, &present, lead) else {
            return;
        };
        let action = if present[lead].info.dtype.is_plain_float() && !is_copied {
            self.operation(slice, wanted, &present)
        } else {
            Some(copy(&present, lead))
        };
        if let Some(action) = action {
            self.result.tensors.push(PlannedTensor {
                name: wanted.name.clone(),
                info: TensorInfo { dtype, shape },
                layer: wanted.layer,
                kind: wanted.kind.clone(),
                action,
            });
        }
    }

    /// The sources that have the tensor, if the method can go on with them.
    fn find_all(&mut self, slice: &PlannedSlice<'_>, wanted: &Wanted<'_>) -> Option<FoundSources> {
        let mut present: Vec<Present> = wanted
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(position, name)| self.find(slice, position, name.as_deref()?))
            .collect();
        let base = present
            .iter()
            .position(|source| Some(source.position) == slice.base);
        let outcome = if present.len() == wanted.inputs.len() {
            Missing::Merge
        } else if self.is_optional(slice, wanted) {
            self.method.without_some(present.len(), base.is_some())
        } else {
            Missing::Refuse
        };
        match outcome {
            Missing::Merge => {
                let is_copied = false;
                Some(FoundSources { present, is_copied })
            }
            Missing::Copy => {
                let kept = present.swap_remove(base.unwrap_or(0));
                let method = self.method.name.to_owned();
                self.leave_out(present, &DropReason::TooFewInputs { method });
                Some(FoundSources {
                    present: vec![kept],
                    is_copied: true,
                })
            }
            Missing::Skip => {
                self.skip(slice, wanted, present);
                None
            }
            Missing::Refuse => {
                self.refuse(slice, wanted);
                None
            }
        }
    }

    /// Leaves a tensor out of the result, which the method cannot make without the base's.
    fn skip(&mut self, slice: &PlannedSlice<'_>, wanted: &Wanted<'_>, present: Vec<Present>) {
        if self.is_head(slice, &wanted.name) {
            self.result.head = None;
        }
        let reason = DropReason::NotInTheBase {
            method: self.method.name.to_owned(),
        };
        self.resolver.complain_about_tensor(
            "are dropped",
            Diagnostic::warning(
                format!("tensor `{}` is dropped: {reason}", wanted.name),
                slice.span,
            ),
        );
        self.leave_out(present, &reason);
    }

    fn leave_out(&mut self, sources: Vec<Present>, reason: &DropReason) {
        for Present { source, .. } in sources {
            let key = (source.input, source.tensor);
            self.result.left_out.insert(key, reason.clone());
        }
    }

    /// Complains about the first source that lacks a tensor.
    fn refuse(&mut self, slice: &PlannedSlice<'_>, wanted: &Wanted<'_>) {
        let Some(position) =
            (0..wanted.inputs.len()).find(|position| wanted.inputs[*position].is_none())
        else {
            return;
        };
        let source = &slice.sources[position];
        let model = self.models[source.model].label();
        self.resolver.complain_about_tensor(
            "are missing in an input",
            Diagnostic::error(
                format!("`{model}` lacks tensor `{}`, which other inputs have", wanted.name),
                source.span,
            )
            .hint("compare them with `weightsmith inspect`; only models of the same family can be merged"),
        );
    }

    fn find(&self, slice: &PlannedSlice<'_>, position: usize, name: &str) -> Option<Present> {
        let input = slice.sources[position].model;
        let model = &self.models[input];
        let tensor = model.source.find(name)?;
        Some(Present {
            position,
            label: model.label().to_owned(),
            source: SourceTensor {
                input,
                tensor: name.to_owned(),
            },
            info: model.source.tensors()[tensor].info.clone(),
        })
    }

    /// A tensor is optional when the architecture says so or when the model that leads lacks it.
    fn is_optional(&self, slice: &PlannedSlice<'_>, wanted: &Wanted<'_>) -> bool {
        let lead = slice.base.unwrap_or(0);
        wanted.inputs[lead].is_none()
            || self.models[slice.sources[lead].model]
                .architecture
                .is_optional(&wanted.name)
    }

    /// The shape that all sources share; the rows that they share, where vocabularies may be cut.
    fn shape(
        &mut self,
        slice: &PlannedSlice<'_>,
        wanted: &Wanted<'_>,
        present: &[Present],
    ) -> Option<Vec<u64>> {
        let first = &present[0];
        let Some(odd) = present
            .iter()
            .find(|source| source.info.shape != first.info.shape)
        else {
            return Some(first.info.shape.clone());
        };
        let is_vocabulary = present.iter().all(|source| {
            let architecture = &self.models[source.source.input].architecture;
            architecture
                .vocabulary_tensor(&source.source.tensor)
                .is_some_and(|tensor| tensor.axis == 0)
        }) && odd.info.shape.get(1..) == first.info.shape.get(1..);
        if is_vocabulary && self.truncate_vocabulary {
            let rows = present
                .iter()
                .map(|source| source.info.shape[0])
                .min()
                .unwrap_or(0);
            self.resolver.complain(Diagnostic::warning(
                format!(
                    "`{}` is truncated to the first {rows} tokens, which all inputs have",
                    wanted.name
                ),
                None,
            ));
            let mut shape = first.info.shape.clone();
            shape[0] = rows;
            return Some(shape);
        }
        let diagnostic = Diagnostic::error(
            format!(
                "tensor `{}` has shape {:?} in `{}` and {:?} in `{}`",
                wanted.name, first.info.shape, first.label, odd.info.shape, odd.label
            ),
            slice.sources[odd.position].span,
        );
        let diagnostic = if is_vocabulary {
            diagnostic.hint("`--unsafe-truncate-embeddings` keeps the first tokens of both, which is correct only if they are the same tokens")
        } else {
            diagnostic
        };
        self.resolver
            .complain_about_tensor("differ in shape", diagnostic);
        None
    }

    /// The type of the result: the recipe's, else the leading model's.
    fn dtype(
        &mut self,
        slice: &PlannedSlice<'_>,
        wanted: &Wanted<'_>,
        present: &[Present],
        lead: usize,
    ) -> Option<DType> {
        let own = present[lead].info.dtype;
        if let Some(odd) = present
            .iter()
            .find(|source| source.info.dtype.is_plain_float() != own.is_plain_float())
        {
            let diagnostic = Diagnostic::error(
                format!(
                    "tensor `{}` is {own} in `{}` and {} in `{}`",
                    wanted.name, present[lead].label, odd.info.dtype, odd.label
                ),
                slice.sources[odd.position].span,
            );
            self.resolver
                .complain_about_tensor("differ in type", diagnostic);
            return None;
        }
        if own.is_plain_float() {
            return Some(self.dtype.unwrap_or(own));
        }
        let needs_arithmetic = is_scaled_float(own) && (present.len() > 1 || self.dtype.is_some());
        if needs_arithmetic {
            self.resolver.complain_about_tensor(
                "are of such types",
                Diagnostic::error(
                    format!(
                        "tensor `{}` of `{}` is {own}, with scales in other tensors, which is not supported yet",
                        wanted.name, present[lead].label
                    ),
                    slice.sources[present[lead].position].span,
                )
                .hint("merge the models' BF16 versions"),
            );
            return None;
        }
        Some(own)
    }

    /// What filters take the tensor's name in a source for: a head is one, also where its values are the embedding's.
    fn name_in<'n>(&self, source: &'n Present, wanted: &'n Wanted<'_>) -> &'n str {
        let architecture = &self.models[source.source.input].architecture;
        match architecture.tied_source(&wanted.name) {
            Some(_) => &wanted.name,
            None => &source.source.tensor,
        }
    }

    /// The method applied to the tensor, or the copy that it comes down to.
    fn operation(
        &mut self,
        slice: &PlannedSlice<'_>,
        wanted: &Wanted<'_>,
        present: &[Present],
    ) -> Option<Action> {
        let positions: Vec<usize> = present.iter().map(|source| source.position).collect();
        let names = NamedTensor {
            output: wanted.name.clone(),
            inputs: present
                .iter()
                .map(|source| self.name_in(source, wanted).to_owned())
                .collect(),
            position: wanted.position,
        };
        let resolved = self
            .resolver
            .resolve(self.method, slice, &positions, &names);
        let operation = Operation {
            method: self.method.name.to_owned(),
            sources: present.iter().map(|source| source.source.clone()).collect(),
            base: slice
                .base
                .and_then(|base| positions.iter().position(|position| *position == base)),
            parameters: resolved.global,
            source_parameters: resolved.of_sources,
        };
        if let Err(objection) = self.method.check(&operation) {
            let mut blamed = objection.parameters.iter();
            if blamed.any(|name| resolved.lacking.contains(name)) {
                return None;
            }
            self.resolver.complain(refusal(
                &objection,
                self.method,
                &operation,
                slice,
                &positions,
                &names,
            ));
            return None;
        }
        if !resolved.lacking.is_empty() {
            return None;
        }
        Some(match (self.method.identity)(&operation) {
            Some(source) => Action::Copy {
                source: operation.sources[source].clone(),
                equal: Vec::new(),
                operation: Some(operation),
            },
            None => Action::Merge(operation),
        })
    }
}

/// Copies the leading source's tensor; the others must hold the same bytes.
fn copy(present: &[Present], lead: usize) -> Action {
    let others = present
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != lead);
    Action::Copy {
        source: present[lead].source.clone(),
        equal: others.map(|(_, source)| source.source.clone()).collect(),
        operation: None,
    }
}

/// Types whose values mean nothing without a scale beside them.
fn is_scaled_float(dtype: DType) -> bool {
    matches!(
        dtype,
        DType::F8_E4M3
            | DType::F8_E5M2
            | DType::F8_E4M3FNUZ
            | DType::F8_E5M2FNUZ
            | DType::F8_E8M0
            | DType::F6_E2M3
            | DType::F6_E3M2
            | DType::F4
    )
}

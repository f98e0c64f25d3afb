//! Model references and types.

use weightsmith_tensors::DType;

use super::super::dtype;
use super::super::model::{ModelPath, ModelReference};
use super::super::yaml::{Content, Node};
use super::Reader;
use super::field::mismatch;
use super::keys::Level;
use crate::{Diagnostic, Spanned};

impl Reader<'_> {
    /// A model, as a text or as a mapping.
    pub(super) fn model(&mut self, what: &str, node: &Node) -> Option<Spanned<ModelReference>> {
        let reference = match &node.content {
            Content::Mapping(_) => self.model_mapping(what, node)?,
            Content::Scalar(_) => {
                let text = self.text(what, node)?.value;
                let parsed = ModelReference::parse(&text, self.exists);
                self.checked(parsed, node)?
            }
            Content::Sequence(_) => {
                self.report(mismatch(what, "a string or a mapping", node));
                return None;
            }
        };
        Some(Spanned::new(reference, node.span))
    }

    /// `{model, lora, override_architecture}`, where the first two are texts or `{path, revision}`.
    fn model_mapping(&mut self, what: &str, node: &Node) -> Option<ModelReference> {
        let mut fields = self.fields(what, node)?;
        if fields.has("path") && !fields.has("model") {
            let path = self.model_path(what, node)?;
            return Some(ModelReference::from_parts(path, None, None));
        }
        let missing = Diagnostic::error(format!("{what} is a mapping without `model`"), node.span)
            .hint(
                "a model is a string, or a mapping with `model`, `lora` and `override_architecture`",
            );
        let model = self.required(&mut fields, "model", missing);
        let lora = fields.take("lora");
        let architecture = fields.take("override_architecture");
        self.unknown(fields, Level::ModelReference);
        let model = self.model_path("`model`", model?.value);
        let lora = match lora {
            Some(lora) => Some(self.model_path("`lora`", lora.value)?),
            None => None,
        };
        let architecture = match architecture {
            Some(name) => Some(self.text("`override_architecture`", name.value)?.value),
            None => None,
        };
        Some(ModelReference::from_parts(model?, lora, architecture))
    }

    /// `path@revision` or `{path, revision}`.
    fn model_path(&mut self, what: &str, node: &Node) -> Option<ModelPath> {
        if !matches!(node.content, Content::Mapping(_)) {
            let text = self.text(what, node)?.value;
            let parsed = ModelPath::parse(&text, self.exists);
            return self.checked(parsed, node);
        }
        let mut fields = self.fields(what, node)?;
        let missing = Diagnostic::error(format!("{what} has no `path`"), node.span);
        let path = self.required(&mut fields, "path", missing);
        let revision = fields.take("revision");
        self.unknown(fields, Level::ModelPath);
        let path = self.text("`path`", path?.value)?.value;
        let revision = match revision {
            Some(revision) => Some(self.text("`revision`", revision.value)?.value),
            None => None,
        };
        Some(ModelPath { path, revision })
    }

    fn checked<T, E: std::fmt::Display>(&mut self, parsed: Result<T, E>, node: &Node) -> Option<T> {
        parsed
            .map_err(|error| self.report(Diagnostic::error(error.to_string(), node.span)))
            .ok()
    }

    /// The type of a result.
    pub(super) fn dtype(&mut self, what: &str, node: &Node) -> Option<Spanned<DType>> {
        let name = self.text(what, node)?;
        let found = dtype::parse(&name.value);
        if found.is_none() {
            let names = dtype::NAMES.map(|name| format!("`{name}`")).join(", ");
            let message = format!("{what} is `{}`, expected one of {names}", name.value);
            let diagnostic = Diagnostic::error(message, name.span);
            self.report(match dtype::suggest(&name.value) {
                Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
                None => diagnostic,
            });
        }
        found.map(|dtype| Spanned::new(dtype, name.span))
    }
}

//! What somebody wants a run to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::evaluation::DataKind;
use super::request::{Request, Unexpected, fields};
use super::run::RunKind;

/// A request for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum RunRequest {
    /// Merges a model.
    Merge(MergeRequest),
    /// Evaluates a model.
    Evaluate(EvaluateRequest),
    /// Compares a model with another.
    Difference(DifferenceRequest),
    /// Downloads a model.
    Pull(PullRequest),
    /// Publishes a model.
    Push(PushRequest),
}

/// A model that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MergeRequest {
    /// The recipe, in mergekit's YAML.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub(crate) recipe: String,
    /// The name of the model.
    #[schemars(
        length(min = 1, max = 96),
        regex(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
    )]
    pub(crate) name: String,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<MergeOptions>,
}

/// What a merge may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MergeOptions {
    /// Replace a model of that name merged here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replace: Option<bool>,
    /// Allow NaN and infinite values in the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_non_finite: Option<bool>,
}

/// A model that is to be measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct EvaluateRequest {
    /// The model's name in the list.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub(crate) model: String,
    /// Models to measure on the same data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<Vec<String>>,
    /// The data.
    pub(crate) data: EvaluationData,
}

/// The data: text, or a file in one of the studio's folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EvaluationData {
    /// What it is.
    pub(crate) kind: DataKind,
    /// A label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The text, or the questions, one of them in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The path of a file, where there is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
}

/// Two models to compare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct DifferenceRequest {
    /// A model's name in the table.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub(crate) model: String,
    /// The other model's.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub(crate) against: String,
}

/// A model that is to be downloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PullRequest {
    /// Its name on the hub, `organization/name`, perhaps with `@` and a revision.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub(crate) model: String,
}

/// A model that is to be published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PushRequest {
    /// The model's name in the list.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    pub(crate) model: String,
    /// The repository: `account/name`, or a name under the token's account (default: the generated name).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repository: Option<String>,
    /// Whether the repository is private (default: true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) private: Option<bool>,
    /// The commit's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

impl Request for RunRequest {
    fn read(mut request: Value) -> Result<Self, Unexpected> {
        let kind = match request["kind"].as_str() {
            Some(name) if !name.trim().is_empty() => {
                RunKind::named(name).ok_or_else(|| Unexpected::Kind(name.to_owned()))?
            }
            _ => return Err(Unexpected::NoKind),
        };
        if let Some(fields) = request.as_object_mut() {
            fields.remove("kind");
        }
        Ok(match kind {
            RunKind::Merge => Self::Merge(fields(request)?),
            RunKind::Evaluate => Self::Evaluate(fields(request)?),
            RunKind::Difference => Self::Difference(fields(request)?),
            RunKind::Pull => Self::Pull(fields(request)?),
            RunKind::Push => Self::Push(fields(request)?),
        })
    }
}

impl RunRequest {
    /// A run whose stored request can no longer be read.
    pub(crate) fn forgotten(kind: RunKind) -> Self {
        match kind {
            RunKind::Merge => Self::Merge(MergeRequest::default()),
            RunKind::Evaluate => Self::Evaluate(EvaluateRequest::default()),
            RunKind::Difference => Self::Difference(DifferenceRequest::default()),
            RunKind::Pull => Self::Pull(PullRequest::default()),
            RunKind::Push => Self::Push(PushRequest::default()),
        }
    }

    /// The kind of run.
    pub(crate) fn kind(&self) -> RunKind {
        match self {
            Self::Merge(_) => RunKind::Merge,
            Self::Evaluate(_) => RunKind::Evaluate,
            Self::Difference(_) => RunKind::Difference,
            Self::Pull(_) => RunKind::Pull,
            Self::Push(_) => RunKind::Push,
        }
    }
}

impl MergeRequest {
    /// Whether to replace a model of that name merged here.
    pub(crate) fn replaces(&self) -> bool {
        self.options.and_then(|options| options.replace) == Some(true)
    }

    /// Whether NaN and infinite values are allowed in the result.
    pub(crate) fn allows_non_finite(&self) -> bool {
        self.options.and_then(|options| options.allow_non_finite) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_asked_for_is_written_as_it_came() {
        for request in [
            json!({"kind": "merge", "recipe": "a", "name": "b"}),
            json!({"kind": "merge", "recipe": "a", "name": "b", "options": {"replace": true}}),
            json!({"kind": "evaluate", "model": "a", "against": ["b"], "data": {"kind": "tasks", "file": "c"}}),
            json!({"kind": "difference", "model": "a", "against": "b"}),
            json!({"kind": "pull", "model": "a/b"}),
            json!({"kind": "push", "model": "a", "private": false, "message": "b"}),
        ] {
            let read = RunRequest::read(request.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), request);
            assert_eq!(request["kind"], read.kind().name());
        }
        // what is null is not there, and what nobody knows is left out
        let request = json!({"kind": "push", "model": "a", "repository": null, "more": 1});
        let read = RunRequest::read(request).unwrap();
        assert_eq!(
            serde_json::to_value(read).unwrap(),
            json!({"kind": "push", "model": "a"})
        );
    }

    #[test]
    fn a_field_is_named_with_what_was_found_and_what_was_expected() {
        let data = |data: Value| json!({"kind": "evaluate", "model": "a", "data": data});
        for (request, expected) in [
            (json!([]), "`kind` is missing or empty, expected a text"),
            (
                json!({"kind": 3}),
                "`kind` is missing or empty, expected a text",
            ),
            (json!({"kind": "bake"}), "there is no kind of run `bake`"),
            (
                json!({"kind": "merge", "recipe": 3}),
                "`recipe`: invalid type: integer `3`, expected a string",
            ),
            (
                json!({"kind": "merge", "options": {"replace": "yes"}}),
                "`options.replace`: invalid type: string \"yes\", expected a boolean",
            ),
            (
                data(json!({"kind": "other", "text": "x"})),
                "`data.kind`: unknown variant `other`, expected `perplexity` or `tasks`",
            ),
            (data(json!({"text": "x"})), "`data`: missing field `kind`"),
            (
                json!({"kind": "evaluate", "model": "a", "against": ["b", 3]}),
                "`against[1]`: invalid type: integer `3`, expected a string",
            ),
        ] {
            let error = RunRequest::read(request.clone()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{request}");
        }
    }
}

//! Recipes and methods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use weightsmith::Diagnostic;
use weightsmith::methods::MethodSpec;
use weightsmith_report::explain::Explanation;

use super::model::Model;
use super::plan::Plan;
use super::request::{Request, Unexpected, fields};

/// A recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RecipeText {
    /// Its text, in mergekit's YAML.
    pub(crate) recipe: String,
}

impl Request for RecipeText {
    fn read(request: Value) -> Result<Self, Unexpected> {
        fields(request)
    }
}

/// Problems and plan of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Check {
    /// Its diagnostics, in text order.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The plan; none if there are errors.
    pub(crate) plan: Option<Plan>,
    /// What it does, layer by layer.
    pub(crate) explanation: Option<Explanation>,
    /// Models being looked up on the Hub: check again a moment later.
    pub(crate) pending: Vec<String>,
}

/// Explanation of a model's recipe.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ExplanationAnswer {
    /// Layer by layer.
    pub(crate) explanation: Explanation,
}

/// The merge methods.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Methods {
    /// All of them.
    pub(crate) methods: Vec<Method>,
}

/// A merge method.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Method {
    /// Its specification.
    #[serde(flatten)]
    pub(crate) specification: &'static MethodSpec,
    /// A minimal recipe.
    pub(crate) recipe: String,
}

/// Example recipes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Gallery {
    /// All of them.
    pub(crate) recipes: Vec<GalleryRecipe>,
}

/// A recipe to begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct GalleryRecipe {
    /// A name for addresses.
    pub(crate) id: String,
    /// What it is.
    pub(crate) title: String,
    /// When to use it.
    pub(crate) summary: String,
    /// Its text.
    pub(crate) recipe: String,
}

/// How a model will be merged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) struct AskedMethod {
    /// The name of a merge method.
    #[serde(default = "any")]
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub(crate) method: String,
}

fn any() -> String {
    "merge".to_owned()
}

/// A name that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ProposedName {
    /// The name.
    pub(crate) name: String,
}

/// A merge that was not written, as a model that speaks.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct PreviewAnswer {
    /// Its name.
    pub(crate) name: String,
    /// The model.
    pub(crate) model: Model,
}

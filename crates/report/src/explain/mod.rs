//! What a plan does to the models, layer by layer: effective parameters, each model's share, and both in words.
//!
//! Everything here is computed from the plan's resolved operations, so it says what the merge will do, not what the
//! recipe seems to say.

mod curves;
mod explanation;
mod kinds;
mod layer_origins;
mod layer_ranges;
mod model_names;
pub(crate) mod numbers;
mod outside_parts;
mod shares;
mod text;
mod words;

pub use explanation::{
    CurveGroup, ExplainedModel, Explanation, LayerOrigin, OriginSource, OutsideShare, OutsideValue,
    ParameterCurves, ParameterSource, ShareGroup, Shares,
};
pub use text::render_text;

use weightsmith::methods;
use weightsmith::plan::Plan;

/// Explains a plan: its parameters over the layers, each model's share of the result, and sentences about them.
pub fn explain(plan: &Plan) -> Explanation {
    let method = methods::find(&plan.method);
    let mut explanation = Explanation {
        method: plan.method.clone(),
        title: method.map_or_else(|| plan.method.clone(), |method| method.title.to_owned()),
        summary: method.map_or_else(String::new, |method| method.summary.to_owned()),
        models: model_names::explained_models(plan),
        layers: plan.layers.len(),
        origins: layer_origins::origins(&plan.layers),
        parameters: curves::parameters(plan),
        shares: shares::shares(plan),
        words: Vec::new(),
    };
    explanation.words = words::sentences(&explanation);
    explanation
}

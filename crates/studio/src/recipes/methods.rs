//! The merge methods, for programs.

use serde_json::{Value, json};
use weightsmith::methods::METHODS;

/// All methods with their parameters and shortest recipes.
pub(crate) fn methods() -> Vec<Value> {
    let methods = METHODS.iter();
    let described = methods.map(|method| {
        let mut described = json!(method);
        described["recipe"] = method.minimal_recipe().into();
        described
    });
    described.collect()
}

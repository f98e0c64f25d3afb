//! The merge methods, for programs.

use serde_json::{Value, json};
use weightsmith::methods::{METHODS, minimal_recipe};

/// All methods with their parameters and shortest recipes.
pub(crate) fn methods() -> Vec<Value> {
    let methods = METHODS.iter();
    let described = methods.map(|method| {
        let mut described = json!(method);
        described["recipe"] = minimal_recipe(method).into();
        described
    });
    described.collect()
}

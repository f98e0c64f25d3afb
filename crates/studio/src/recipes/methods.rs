//! The merge methods, for programs.

use weightsmith::methods::{METHODS, minimal_recipe};

use crate::wire::{Method, Methods};

/// All methods with their parameters and shortest recipes.
pub(crate) fn methods() -> Methods {
    let methods = METHODS.iter().map(|method| Method {
        specification: method,
        recipe: minimal_recipe(method),
    });
    Methods {
        methods: methods.collect(),
    }
}

//! The merge methods, and what a recipe says about them.

mod lookup;
mod minimal_recipe;
mod reference_page;

pub use weightsmith_methods::*;

pub(crate) use lookup::find_or_explain;
pub use minimal_recipe::minimal_recipe;
pub use reference_page::reference_page;

/// Parameters that mergekit accepts everywhere and that have no effect here, with the reason.
pub(crate) const WITHOUT_EFFECT: &[(&str, &str)] = &[(
    "int8_mask",
    "it reduces mergekit's memory use; Weightsmith does not store masks",
)];

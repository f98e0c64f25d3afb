//! Recipes: checked, planned, named, and heard before they are written.

mod answer;
mod gallery;
mod methods;
mod name;
mod plan;
mod previews;
mod remote;

pub(crate) use answer::{check, refusal};
pub(crate) use gallery::gallery;
pub(crate) use methods::methods;
pub(crate) use name::proposed;
pub(crate) use plan::{plan, plan_with};
pub(crate) use previews::{Previews, make as make_preview};
pub(crate) use remote::Remotes;

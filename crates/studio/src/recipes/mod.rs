//! Recipes: checked, planned, named, and heard before they are written.

mod answer;
mod gallery;
mod methods;
mod name;
mod planning;
mod previews;
mod remote;
mod sources;
mod stored;

pub(crate) use answer::{check, refusal};
pub(crate) use gallery::gallery;
pub(crate) use methods::methods;
pub(crate) use name::proposed;
pub(crate) use planning::Planner;
pub(crate) use previews::Previews;
pub(crate) use remote::Remotes;
pub(crate) use sources::{fingerprint, source};
pub(crate) use stored::explanation;

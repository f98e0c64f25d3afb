//! Recipes: checked, planned, named, and heard before they are written.

mod answer;
mod confined;
mod gallery;
mod methods;
mod name;
mod planning;
mod previews;
mod remote;
mod sources;
mod stored;
mod transfer;

pub(crate) use answer::{check, refusal};
pub(crate) use gallery::gallery;
pub(crate) use methods::methods;
pub(crate) use name::proposed;
pub(crate) use planning::{Access, Planner};
pub(crate) use previews::Previews;
pub(crate) use remote::Remotes;
pub(crate) use sources::{fingerprint, source};
pub(crate) use stored::explanation;

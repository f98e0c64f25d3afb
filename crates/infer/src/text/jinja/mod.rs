//! Jinja as chat templates are written for it: Jinja2 in Python, in the environment that transformers sets up
//! (`ImmutableSandboxedEnvironment` with `trim_blocks`, `lstrip_blocks`, loop controls, its `tojson`, and the tag `generation`).
//!
//! Templates are programs from strangers. Whatever they do ends with a text or an error, within the bounds of [`limits`]:
//! trees, values and calls have a greatest depth, so that nothing that walks over them can exhaust the stack, and steps, bytes
//! and time are counted where they are spent. Nothing here reads a file, the environment or the network.

mod checks;
mod filters;
mod format;
mod functions;
pub(crate) mod limits;
mod methods;
mod problem;
mod run;
mod syntax;
mod template;
mod value;

pub(crate) use problem::Problem;
pub(crate) use template::Template;

//! Merges from recipe to result, on small models that are built here and on the bundled ones.

mod accounting;
mod determinism;
mod family;
mod golden;
mod oracle;
mod resume;

//! Merges from recipe to result, on small models that are built here and on the bundled ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod accounting;
mod bad_input;
mod changed_inputs;
mod determinism;
mod every_method;
mod family;
mod filling;
mod golden;
mod memory;
mod missing;
mod oracle;
mod planned_files;
mod properties;
mod recipes;
mod refusals;
mod resume;
mod stacks;
mod stages;

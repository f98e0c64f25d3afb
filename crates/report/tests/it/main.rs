//! What users see of plans and merges.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod cards;
mod explanations;

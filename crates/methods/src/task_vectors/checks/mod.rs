//! The family held against its formulas in f64, and what chance leaves of task vectors against its laws.

mod formula;
mod oracle;
mod statistics;

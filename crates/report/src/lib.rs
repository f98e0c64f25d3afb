//! Reports about models and merges.
//!
//! [`explain`] describes a plan, [`inspect`] a checkpoint, [`diff`] the differences between two, and [`host`] checks whether
//! inference hosts will accept a model. [`card`] writes model cards and [`pictures`] draws their charts.

pub mod card;
pub mod diff;
pub mod explain;
pub mod host;
pub mod inspect;
pub mod pictures;

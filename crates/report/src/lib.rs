//! What people read about models and merges.
//!
//! [`explain`] says what a plan does, [`inspect`] what is in a checkpoint, [`diff`] how two differ, and [`host`] whether
//! inference hosts will take a model. [`card`] writes model cards and [`pictures`] draws what they show.

pub mod card;
pub mod diff;
pub mod explain;
pub mod host;
pub mod inspect;
pub mod pictures;

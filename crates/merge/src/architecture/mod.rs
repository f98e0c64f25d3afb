//! What a checkpoint is made of, read off its headers and `config.json`.
//!
//! Layers are found from the numbers in tensor names, vocabulary axes from names, shapes and `vocab_size`. The table of
//! [`Facts`] only adds what headers cannot tell, so that a family that it does not know works as well.

mod config_keys;
mod describe;
mod facts;
mod family_table;
mod infer;
mod place;
mod stacks;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use config_keys::{LayerCount, locate_layer_count, text_config_path};
pub use facts::{Facts, StackFacts};
pub use infer::Architecture;
pub use place::LayerPlace;
pub(crate) use stacks::MOST_LAYERS;
pub use stacks::{LayerPosition, LayerStack};
pub use vocabulary::{VocabularyRole, VocabularyTensor};

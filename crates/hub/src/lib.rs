//! Models on the Hugging Face Hub.

mod hash;
#[cfg(feature = "testing")]
pub mod testing;

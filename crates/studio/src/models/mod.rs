//! The models that a studio shows: found in folders and in the Hugging Face cache, made here, given at the start, or not
//! written at all.

mod catalogue;

pub(crate) use catalogue::{Catalogue, Entry, Origin};

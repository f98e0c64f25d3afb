//! Models in object stores: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` and `az://CONTAINER/PREFIX`.
//!
//! - [`Stores::look`] looks up the objects under an address, [`Stores::open`] opens a model's weights remotely: headers
//!   immediately, tensors when they are read.
//! - [`Stores::survey`] checks a destination, [`Stores::upload`] uploads a model to it. The lock is written last, and only if
//!   no other writer has written one.
//!
//! All calls block. Credentials and endpoints come from the environment, under the stores' usual names.

mod address;
mod body;
mod bucket;
mod connector;
mod error;
mod pages;
mod progress;
mod read;
mod record;
mod sending;
mod settings;
mod stores;
mod survey;
mod upload;

pub use address::{Address, Scheme};
pub use error::StoreError;
pub use progress::{Progress, Silent};
pub use read::{Listing, Stored};
pub use settings::StoreSettings;
pub use stores::Stores;
pub use survey::Survey;
pub use upload::{UploadFile, UploadOptions, Uploaded};

//! Models in object stores: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` and `az://CONTAINER/PREFIX`.
//!
//! - [`Stores::look`] asks what lies under an address, [`Stores::open`] opens a model's weights where they are: headers at once,
//!   tensors when they are read.
//! - [`Stores::survey`] looks at where a model is to go, [`Stores::upload`] sends it there; its lock comes last, written only
//!   where no other writer has put one.
//!
//! All calls block. Credentials and endpoints are those of the environment, under the names that each store's own tools use.

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

//! Weightsmith in the browser: models, recipes and runs behind one JSON interface, and the page that uses it.
//!
//! - [`Studio::open`] finds the models and opens the history; [`Studio::pages`] is what a
//!   [server](weightsmith_server::Server::with_pages) shows.
//! - Everything that the page does goes through `/api/`; texts go through the server's own `/v1/`.

mod api;
mod app;
mod assets;
mod clock;
mod difference;
mod error;
mod evaluation;
mod events;
mod models;
mod paths;
mod private;
mod progress;
mod recipes;
mod runs;
mod settings;
mod system;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transfer;
mod wire;

pub use app::Studio;
pub use error::StudioError;
pub use models::speech;
pub use settings::StudioSettings;

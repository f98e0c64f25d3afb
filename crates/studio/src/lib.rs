//! The studio, Weightsmith's web UI: models, recipes and runs behind one JSON API, and the page that uses it.
//!
//! - [`Studio::open`] finds the models and opens the history; [`Studio::pages`] is what a
//!   [server](weightsmith_server::Server::with_pages) serves.
//! - The page uses only `/api/`, and the server's `/v1/` for text generation.

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

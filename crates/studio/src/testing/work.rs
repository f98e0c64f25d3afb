//! The work of a run, without the run around it.

use std::sync::Arc;

use super::Told;
use crate::app::App;
use crate::progress::RunFailure;

/// Does the work of a run on a thread of its own, as runs do.
pub(crate) async fn work<T: Send + 'static>(
    app: &Arc<App>,
    run: impl FnOnce(&App, &Told) -> Result<T, RunFailure> + Send + 'static,
) -> (Result<T, RunFailure>, Told) {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let told = Told::default();
        let result = run(&app, &told);
        (result, told)
    })
    .await
    .unwrap()
}

/// What went wrong with it.
pub(crate) fn message<T: std::fmt::Debug>(result: Result<T, RunFailure>) -> String {
    match result {
        Err(RunFailure::Failed { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

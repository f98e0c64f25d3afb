//! The work of a run, without the run around it.

use std::sync::Arc;

use super::Told;
use crate::app::App;
use crate::runs::{RunFailure, RunProgress};

/// Does the work of a run on a thread of its own, as runs do.
pub(crate) async fn work<R, T>(
    app: &Arc<App>,
    run: fn(&Arc<App>, &R, &dyn RunProgress) -> Result<T, RunFailure>,
    request: R,
) -> (Result<T, RunFailure>, Told)
where
    R: Send + 'static,
    T: Send + 'static,
{
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let told = Told::default();
        let result = run(&app, &request, &told);
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

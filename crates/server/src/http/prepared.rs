//! Work on a request's texts, before a model sees them: on a blocking thread, within the request's place and time.

use tokio::task::spawn_blocking;
use tokio::time::timeout_at;
use weightsmith_infer::{Cancel, Error, Model};

use super::admission::App;
use super::failure::ApiError;
use super::running::Admission;
use crate::models::Lease;

/// Tells the work that nobody waits for it.
#[derive(Debug)]
struct Waiting(Cancel);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Does work that may take a moment, with the model.
///
/// Only a few such pieces of work run at once. Each keeps its request's place until it has really ended, also when the
/// request was given up before: then it is cancelled, and ends at its next look.
pub(super) async fn prepared<T: Send + 'static>(
    app: &App,
    lease: Lease,
    admission: Admission,
    work: impl FnOnce(&Model, &Cancel) -> Result<T, ApiError> + Send + 'static,
) -> Result<(T, Lease, Admission), ApiError> {
    let deadline = admission.deadline;
    let late = admission.timed_out();
    let turn = timeout_at(deadline, app.preparing.clone().acquire_owned());
    let Ok(turn) = turn.await else {
        return Err(late);
    };
    let turn = turn.map_err(|_| ApiError::closing())?;
    let waiting = Waiting(Cancel::default());
    let cancel = waiting.0.clone();
    let job = spawn_blocking(move || {
        let result = work(lease.model(), &cancel);
        drop(turn);
        (result, lease, admission)
    });
    match timeout_at(deadline, job).await {
        Ok(Ok((result, lease, admission))) => Ok((result?, lease, admission)),
        Ok(Err(broken)) => Err(ApiError::internal(broken.to_string())),
        Err(_) => Err(late),
    }
}

/// The tokens of a prompt, if they fit the context.
pub(super) fn prompt_tokens(
    model: &Model,
    text: &str,
    special: bool,
    context: usize,
    cancel: &Cancel,
) -> Result<Vec<u32>, ApiError> {
    let tokenizer = &model.companions.tokenizer;
    match tokenizer.encode_within(text, special, context, cancel) {
        Err(Error::TooManyTokens { found, .. }) => Err(ApiError::prompt_too_long(found, context)),
        tokens => Ok(tokens?),
    }
}

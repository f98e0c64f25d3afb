//! The body of a request whose rest is read and thrown away when nobody wants it.
//!
//! A client that still sends when the answer comes, such as 413, would otherwise find its connection reset and read no answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

/// Bytes that are thrown away at most.
const MOST: u64 = 256 << 20;

/// How long it may go on in any case, even where the body's time is over.
const LEAST: Duration = Duration::from_secs(2);

/// A body whose rest is thrown away.
#[derive(Debug)]
pub(super) struct Drained {
    body: Body,
    /// When the body's time is over.
    until: Instant,
    /// The client sends only when it is asked to, and has not been.
    waits_for_word: bool,
    is_over: bool,
}

impl Drained {
    /// A body that has some time; `waits_for_word` where its client said that it sends only when it is told to go on.
    pub(super) fn new(body: Body, patience: Duration, waits_for_word: bool) -> Self {
        Self {
            is_over: body.is_end_stream(),
            body,
            until: Instant::now() + patience,
            waits_for_word,
        }
    }
}

impl HttpBody for Drained {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.waits_for_word = false;
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.is_over = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let is_hopeless = self.body.size_hint().lower() > MOST;
        if self.is_over || self.waits_for_word || is_hopeless || self.body.is_end_stream() {
            return;
        }
        let body = std::mem::replace(&mut self.body, Body::empty());
        let until = self.until.max(Instant::now() + LEAST);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout_at(until, throw_away(body)));
        }
    }
}

/// Reads a body to its end, or to what is enough.
async fn throw_away(body: Body) {
    let mut sum = 0;
    let mut data = body.into_data_stream();
    while let Some(Ok(bytes)) = data.next().await {
        sum += bytes.len() as u64;
        if sum > MOST {
            return;
        }
    }
}

//! Many requests of one model at once: continuous batching on a thread of its own.

mod logprobs;
mod prefixes;
mod request;
mod schedule;
mod sequence;
mod statistics;
mod weight_check;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use weightsmith_infer::Model;

pub use logprobs::TokenLogprobs;
pub use request::{Ending, Event, Request};
pub use statistics::Statistics;
pub(crate) use statistics::{Durations, count, get};
pub(crate) use worker::BROKE_OFF;

/// Positions at whose multiples chunks of a prompt end.
pub const CHUNK: usize = 64;

/// Limits of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSettings {
    /// Sequences that are computed at once.
    pub parallel: usize,
    /// Memory of keys and values, in bytes: of the sequences that run, and of those that are kept for their beginnings.
    pub cache_bytes: u64,
    /// Caches of finished sequences that are kept.
    pub kept: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            parallel: 16,
            cache_bytes: 2 << 30,
            kept: 32,
        }
    }
}

/// A model's thread. It ends when the last handle is dropped; what runs then is ended too.
#[derive(Debug)]
pub struct Engine {
    model: Arc<Model>,
    requests: Option<Sender<Request>>,
    statistics: Arc<Statistics>,
    damaged: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(model: Arc<Model>, settings: EngineSettings) -> std::io::Result<Self> {
        let (requests, incoming) = channel();
        let statistics = Arc::new(Statistics::default());
        let damaged = Arc::new(AtomicBool::new(false));
        let weights = weight_check::WeightCheck::new(Arc::clone(&damaged));
        let worker = worker::Worker::new(
            Arc::clone(&model),
            settings,
            Arc::clone(&statistics),
            weights,
        );
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || worker.run(&incoming))?;
        Ok(Self {
            model,
            requests: Some(requests),
            statistics,
            damaged,
            thread: Some(thread),
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Counts.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Whether files of the model were cut or written to: it answers no more, and must be loaded anew.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// Hands a request over; its events come on its channel. One that is never answered has a closed channel.
    pub fn submit(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // a thread that is gone closes the request's channel, which is what its owner sees
            let _ = requests.send(request);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

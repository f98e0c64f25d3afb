//! What all handlers share, and who may come in.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::failure::ApiError;
use super::fields::Fields;
use super::running::Admission;
use crate::models::{Lease, ModelId};
use crate::{ModelRegistry, Settings};

/// What handlers share.
#[derive(Debug)]
pub(super) struct App {
    pub(super) settings: Settings,
    pub(super) registry: Arc<ModelRegistry>,
    /// Requests that may run or wait.
    places: Arc<Semaphore>,
    most: usize,
    /// Requests whose texts are being worked on at once.
    pub(super) preparing: Arc<Semaphore>,
    /// Requests that were turned away.
    pub(super) turned_away: AtomicU64,
    /// The hash of the key, which is what is compared.
    pub(super) key: Option<blake3::Hash>,
    pub(super) answers: super::metrics::Answers,
    /// What decides who comes in.
    pub(super) door: super::door::Door,
    /// Which paths of pages need no key.
    pub(super) is_open: fn(&str) -> bool,
    /// What the OpenAPI document says of pages, where there are any.
    pub(super) pages: Option<super::pages::PagesDocument>,
    /// The OpenAPI document.
    pub(super) document: super::openapi::Written,
}

impl App {
    /// The state of a server.
    pub(super) fn new(settings: Settings, registry: Arc<ModelRegistry>) -> Self {
        // half of the connections are left to what is not answered by a model
        let half = settings
            .connections
            .map_or(usize::MAX, |all| (all / 2).max(1));
        let most = (settings.engine.parallel + settings.queue).min(half);
        Self {
            key: settings
                .api_key
                .as_ref()
                .map(|key| blake3::hash(key.as_bytes())),
            door: super::door::Door::new(&settings),
            settings,
            registry,
            places: Arc::new(Semaphore::new(most)),
            most,
            preparing: Arc::new(Semaphore::new(preparing())),
            turned_away: AtomicU64::new(0),
            answers: super::metrics::Answers::default(),
            is_open: |_| false,
            pages: None,
            document: super::openapi::Written::default(),
        }
    }

    /// The model that a request names, the first one if it names none.
    pub(super) fn named_model(&self, fields: Fields<'_>) -> Result<ModelId, ApiError> {
        self.model_or_first(fields.text("model")?)
    }

    /// The model of a name, the first one where there is no name.
    pub(super) fn model_or_first(&self, name: Option<&str>) -> Result<ModelId, ApiError> {
        match name.filter(|name| !name.is_empty()) {
            Some(name) => self.model(name),
            None => self.registry.first().ok_or_else(|| self.no_model("")),
        }
    }

    /// The model of that name.
    pub(super) fn model(&self, name: &str) -> Result<ModelId, ApiError> {
        self.registry.find(name).ok_or_else(|| self.no_model(name))
    }

    /// That there is no model of that name.
    pub(super) fn no_model(&self, name: &str) -> ApiError {
        let models = self.registry.models();
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        ApiError::no_model(name, &names)
    }

    /// A place among the requests, if there is one.
    pub(super) fn admit(&self) -> Result<Admission, ApiError> {
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            crate::engine::count(&self.turned_away);
            return Err(ApiError::busy(self.most));
        };
        let timeout = self.settings.timeout;
        Ok(Admission {
            _permit: permit,
            deadline: Instant::now() + timeout,
            timeout,
        })
    }

    /// The model, warm.
    pub(super) async fn lease(
        &self,
        model: ModelId,
        admission: &Admission,
    ) -> Result<Lease, ApiError> {
        match timeout_at(admission.deadline, self.registry.acquire(model)).await {
            Ok(lease) => Ok(lease?),
            Err(_) => Err(admission.timed_out()),
        }
    }

    /// Positions that are served of a model.
    pub(super) fn context(&self, lease: &Lease) -> usize {
        let decoder = &lease.model().decoder;
        let each = decoder.cache_bytes_per_position().max(1);
        let fitting = (self.settings.engine.cache_bytes / each) as usize;
        let positions = decoder.config().positions;
        let served = self.settings.context.unwrap_or(positions);
        served.min(positions).min(fitting.max(1))
    }
}

/// How many texts are worked on at once: memory and processors are there for the models.
fn preparing() -> usize {
    const MOST: usize = 4;
    std::thread::available_parallelism().map_or(1, |count| count.get().min(MOST))
}

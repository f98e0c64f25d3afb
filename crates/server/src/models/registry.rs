//! Which models there are, in which state each is, and which of them may stay in memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use weightsmith_infer::Model;

use super::{LoadProgress, ServedModel};
use crate::engine::{Engine, EngineSettings};

/// How long a model that failed to load is not tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The models of a server.
#[derive(Debug)]
pub struct ModelRegistry {
    models: Vec<ServedModel>,
    slots: Mutex<Vec<Slot>>,
    /// Counts changes, for those who wait for one.
    changes: watch::Sender<u64>,
    engine: EngineSettings,
    budget: Option<u64>,
}

/// A model's place in memory.
#[derive(Debug)]
enum Slot {
    Cold,
    Loading(LoadProgress),
    Warm(Arc<Warm>),
    Failed(String, Instant),
}

#[derive(Debug)]
struct Warm {
    engine: Engine,
    used: Mutex<Instant>,
}

/// A model's state, to be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelState {
    /// It is not in memory.
    Cold,
    /// It is being loaded, and this share of it is done.
    Loading(f64),
    /// It answers.
    Warm,
    /// It could not be loaded.
    Failed(String),
}

/// Why a model does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// It could not be loaded.
    Failed(String),
    /// It does not fit the memory budget.
    TooLarge { needed: u64, budget: u64 },
}

/// The use of a model that is warm. It stays in memory meanwhile.
#[derive(Debug)]
pub(crate) struct Lease {
    warm: Option<Arc<Warm>>,
    registry: Arc<ModelRegistry>,
}

impl Lease {
    /// The model's engine.
    pub(crate) fn engine(&self) -> &Engine {
        // only dropping takes it away
        &self.warm.as_ref().expect("a lease holds its model").engine
    }

    /// The model.
    pub(crate) fn model(&self) -> &Arc<Model> {
        self.engine().model()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(warm) = self.warm.take() {
            *locked(&warm.used) = Instant::now();
            drop(warm);
            self.registry.changed();
        }
    }
}

impl ModelRegistry {
    /// A registry in which all models are cold.
    pub fn new(models: Vec<ServedModel>, engine: EngineSettings, budget: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            slots: Mutex::new(models.iter().map(|_| Slot::Cold).collect()),
            models,
            changes: watch::Sender::new(0),
            engine,
            budget,
        })
    }

    /// All models, in the order in which they were named.
    pub fn models(&self) -> &[ServedModel] {
        &self.models
    }

    /// Index of the model of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.models.iter().position(|model| model.name == name)
    }

    /// The state of a model.
    pub fn state(&self, index: usize) -> ModelState {
        match &locked(&self.slots)[index] {
            Slot::Cold => ModelState::Cold,
            Slot::Loading(progress) => ModelState::Loading(progress.share()),
            Slot::Warm(_) => ModelState::Warm,
            Slot::Failed(problem, _) => ModelState::Failed(problem.clone()),
        }
    }

    /// A model's engine and the memory of its weights, if it is warm.
    pub(crate) fn visit<T>(&self, index: usize, look: impl FnOnce(&Engine) -> T) -> Option<T> {
        match &locked(&self.slots)[index] {
            Slot::Warm(warm) => Some(look(&warm.engine)),
            _ => None,
        }
    }

    /// Waits until a model is warm; loads it if need be.
    pub(crate) async fn acquire(self: &Arc<Self>, index: usize) -> Result<Lease, Unavailable> {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(lease) = self.try_acquire(index)? {
                return Ok(lease);
            }
            // the sender lives as long as the registry
            let _ = changes.changed().await;
        }
    }

    /// The model if it is warm; else begins what is necessary.
    fn try_acquire(self: &Arc<Self>, index: usize) -> Result<Option<Lease>, Unavailable> {
        let mut unloaded = Vec::new();
        let mut slots = locked(&self.slots);
        match &slots[index] {
            Slot::Warm(warm) => {
                return Ok(Some(Lease {
                    warm: Some(Arc::clone(warm)),
                    registry: Arc::clone(self),
                }));
            }
            Slot::Loading(_) => return Ok(None),
            Slot::Failed(problem, since) if since.elapsed() < RETRY => {
                return Err(Unavailable::Failed(problem.clone()));
            }
            Slot::Cold | Slot::Failed(..) => {}
        }
        if !self.make_room(&mut slots, index, &mut unloaded)? {
            return Ok(None);
        }
        let progress = LoadProgress::default();
        slots[index] = Slot::Loading(progress.clone());
        let registry = Arc::clone(self);
        let spawned = std::thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || registry.load(index, &progress));
        if let Err(error) = spawned {
            slots[index] = Slot::Failed(error.to_string(), Instant::now());
            return Err(Unavailable::Failed(error.to_string()));
        }
        Ok(None)
    }

    /// Unloads idle models until another fits, the one that was used longest ago first; false if it must wait.
    fn make_room(
        &self,
        slots: &mut [Slot],
        index: usize,
        unloaded: &mut Vec<Arc<Warm>>,
    ) -> Result<bool, Unavailable> {
        let Some(budget) = self.budget else {
            return Ok(true);
        };
        let needed = self.models[index].facts.bytes;
        if needed > budget {
            return Err(Unavailable::TooLarge { needed, budget });
        }
        loop {
            let held: u64 = slots.iter().enumerate().map(|one| self.bytes(one)).sum();
            if held + needed <= budget {
                return Ok(true);
            }
            let idle = slots
                .iter_mut()
                .filter_map(|slot| match slot {
                    Slot::Warm(warm) if Arc::strong_count(warm) == 1 => {
                        let used = *locked(&warm.used);
                        Some((used, slot))
                    }
                    _ => None,
                })
                .min_by_key(|(used, _)| *used);
            let Some((_, slot)) = idle else {
                return Ok(false);
            };
            if let Slot::Warm(warm) = std::mem::replace(slot, Slot::Cold) {
                unloaded.push(warm);
            }
        }
    }

    /// Memory that a slot holds or will hold.
    fn bytes(&self, (index, slot): (usize, &Slot)) -> u64 {
        match slot {
            Slot::Cold | Slot::Failed(..) => 0,
            Slot::Loading(_) => self.models[index].facts.bytes,
            Slot::Warm(warm) => warm.engine.model().decoder.weight_bytes(),
        }
    }

    /// Loads a model, on a thread of its own.
    fn load(&self, index: usize, progress: &LoadProgress) {
        let load = AssertUnwindSafe(|| (self.models[index].load)(progress));
        let loaded = catch_unwind(load)
            .unwrap_or_else(|_| Err("loading broke off; this is a bug of Weightsmith".to_owned()));
        let started = loaded.and_then(|model| {
            Engine::start(Arc::new(model), self.engine).map_err(|error| error.to_string())
        });
        let slot = match started {
            Ok(engine) => Slot::Warm(Arc::new(Warm {
                engine,
                used: Mutex::new(Instant::now()),
            })),
            Err(problem) => Slot::Failed(problem, Instant::now()),
        };
        locked(&self.slots)[index] = slot;
        self.changed();
    }

    /// Unloads everything, so that engines end; what they compute ends too.
    pub(crate) fn unload_all(&self) {
        let slots: Vec<Slot> = locked(&self.slots)
            .iter_mut()
            .map(|slot| std::mem::replace(slot, Slot::Cold))
            .collect();
        drop(slots);
    }

    fn changed(&self) {
        self.changes
            .send_modify(|changes| *changes = changes.wrapping_add(1));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

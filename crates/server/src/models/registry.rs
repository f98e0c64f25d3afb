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

/// The models of a server. Models come and go while it runs.
#[derive(Debug)]
pub struct ModelRegistry {
    entries: Mutex<Entries>,
    /// Counts changes, for those who wait for one.
    changes: watch::Sender<u64>,
    engine: EngineSettings,
    budget: Option<u64>,
}

/// What a registry holds, in the order in which models were added.
#[derive(Debug, Default)]
struct Entries {
    list: Vec<Entry>,
    added: u64,
}

#[derive(Debug)]
struct Entry {
    id: ModelId,
    model: Arc<ServedModel>,
    slot: Slot,
}

/// A model of a registry; that of a removed model is not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModelId(u64);

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
    /// It was removed while somebody waited for it.
    Removed,
}

/// The use of a model that is warm. It stays in memory meanwhile.
#[derive(Debug)]
pub(crate) struct Lease {
    name: String,
    warm: Option<Arc<Warm>>,
    registry: Arc<ModelRegistry>,
}

impl Lease {
    /// The model's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

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
            // the last one, where the model was removed meanwhile
            if let Some(last) = Arc::into_inner(warm) {
                free(last);
            }
            self.registry.changed();
        }
    }
}

impl Entries {
    fn position(&self, id: ModelId) -> Option<usize> {
        self.list.iter().position(|entry| entry.id == id)
    }
}

impl ModelRegistry {
    /// A registry in which all models are cold. A name that is there already is left out.
    pub fn new(models: Vec<ServedModel>, engine: EngineSettings, budget: Option<u64>) -> Arc<Self> {
        let registry = Arc::new(Self {
            entries: Mutex::default(),
            changes: watch::Sender::new(0),
            engine,
            budget,
        });
        for model in models {
            registry.add(model);
        }
        registry
    }

    /// Adds a model, cold; false if there is one of its name.
    pub fn add(&self, model: ServedModel) -> bool {
        let mut entries = locked(&self.entries);
        if entries.list.iter().any(|one| one.model.name == model.name) {
            return false;
        }
        entries.added += 1;
        let entry = Entry {
            id: ModelId(entries.added),
            model: Arc::new(model),
            slot: Slot::Cold,
        };
        entries.list.push(entry);
        drop(entries);
        self.changed();
        true
    }

    /// Takes a model away; false if there is none of that name. What it is saying is finished.
    pub fn remove(&self, name: &str) -> bool {
        let mut entries = locked(&self.entries);
        let found = entries.list.iter().position(|one| one.model.name == name);
        let removed = found.map(|index| entries.list.remove(index));
        drop(entries);
        self.changed();
        removed.is_some()
    }

    /// All models, in the order in which they were added.
    pub fn models(&self) -> Vec<Arc<ServedModel>> {
        let entries = locked(&self.entries);
        let models = entries.list.iter();
        models.map(|entry| Arc::clone(&entry.model)).collect()
    }

    /// The state of the model of that name.
    pub fn state(&self, name: &str) -> Option<ModelState> {
        let entries = locked(&self.entries);
        let entry = entries.list.iter().find(|one| one.model.name == name)?;
        Some(match &entry.slot {
            Slot::Cold => ModelState::Cold,
            Slot::Loading(progress) => ModelState::Loading(progress.share()),
            Slot::Warm(warm) if warm.engine.is_damaged() => ModelState::Cold,
            Slot::Warm(_) => ModelState::Warm,
            Slot::Failed(problem, _) => ModelState::Failed(problem.clone()),
        })
    }

    /// Counts changes of models and their states: changes when one of them does, but not for each step of loading.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Begins to load a model that is cold, where memory allows it now; false if there is none of that name.
    pub fn warm(self: &Arc<Self>, name: &str) -> bool {
        let Some(id) = self.find(name) else {
            return false;
        };
        // why it cannot be is in its state, or is told to who asks it for a text
        let _ = self.try_acquire(id);
        true
    }

    /// Unloads a model that nobody uses; false if there is none of that name or it is in use.
    pub fn cool(&self, name: &str) -> bool {
        let mut entries = locked(&self.entries);
        let found = entries.list.iter_mut().find(|one| one.model.name == name);
        let unloaded = match found {
            Some(Entry { slot, .. }) => match slot {
                Slot::Warm(warm) if Arc::strong_count(warm) > 1 => return false,
                Slot::Loading(_) => return false,
                _ => std::mem::replace(slot, Slot::Cold),
            },
            None => return false,
        };
        drop(entries);
        drop(unloaded);
        self.changed();
        true
    }

    /// The model of that name.
    pub(crate) fn find(&self, name: &str) -> Option<ModelId> {
        let entries = locked(&self.entries);
        let found = entries.list.iter().find(|one| one.model.name == name)?;
        Some(found.id)
    }

    /// The model that was added first.
    pub(crate) fn first(&self) -> Option<ModelId> {
        Some(locked(&self.entries).list.first()?.id)
    }

    /// Looks at a model's engine, if it is warm.
    pub(crate) fn visit<T>(&self, name: &str, look: impl FnOnce(&Engine) -> T) -> Option<T> {
        let entries = locked(&self.entries);
        let entry = entries.list.iter().find(|one| one.model.name == name)?;
        match &entry.slot {
            Slot::Warm(warm) => Some(look(&warm.engine)),
            _ => None,
        }
    }

    /// Waits until a model is warm; loads it if need be.
    pub(crate) async fn acquire(self: &Arc<Self>, id: ModelId) -> Result<Lease, Unavailable> {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(lease) = self.try_acquire(id)? {
                return Ok(lease);
            }
            // the sender lives as long as the registry
            let _ = changes.changed().await;
        }
    }

    /// The model if it is warm; else begins what is necessary.
    fn try_acquire(self: &Arc<Self>, id: ModelId) -> Result<Option<Lease>, Unavailable> {
        let mut unloaded = Vec::new();
        let mut entries = locked(&self.entries);
        let index = entries.position(id).ok_or(Unavailable::Removed)?;
        if let Some(damaged) = entries.list[index].take_damaged() {
            unloaded.push(damaged);
        }
        match &entries.list[index].slot {
            Slot::Warm(warm) => {
                return Ok(Some(Lease {
                    name: entries.list[index].model.name.clone(),
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
        if !self.make_room(&mut entries.list, index, &mut unloaded)? {
            drop(entries);
            free(unloaded);
            return Ok(None);
        }
        let progress = LoadProgress::default();
        let entry = &mut entries.list[index];
        entry.slot = Slot::Loading(progress.clone());
        let (registry, model) = (Arc::clone(self), Arc::clone(&entry.model));
        let spawned = std::thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || {
                // what makes room is gone before the other comes
                drop(unloaded);
                registry.load(id, &model, &progress);
            });
        if let Err(error) = spawned {
            entry.slot = Slot::Failed(error.to_string(), Instant::now());
            return Err(Unavailable::Failed(error.to_string()));
        }
        drop(entries);
        self.changed();
        Ok(None)
    }

    /// Unloads idle models until another fits, the one that was used longest ago first; false if it must wait.
    fn make_room(
        &self,
        entries: &mut [Entry],
        index: usize,
        unloaded: &mut Vec<Arc<Warm>>,
    ) -> Result<bool, Unavailable> {
        let Some(budget) = self.budget else {
            return Ok(true);
        };
        let needed = entries[index].model.facts.bytes;
        if needed > budget {
            return Err(Unavailable::TooLarge { needed, budget });
        }
        loop {
            let held: u64 = entries.iter().map(Entry::bytes).sum();
            if held + needed <= budget {
                return Ok(true);
            }
            let idle = entries
                .iter_mut()
                .filter_map(|entry| match &entry.slot {
                    Slot::Warm(warm) if Arc::strong_count(warm) == 1 => {
                        let used = *locked(&warm.used);
                        Some((used, &mut entry.slot))
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

    /// Loads a model, on a thread of its own.
    fn load(&self, id: ModelId, model: &ServedModel, progress: &LoadProgress) {
        let load = AssertUnwindSafe(|| model.load(progress));
        let loaded = catch_unwind(load)
            .unwrap_or_else(|_| Err("internal error while loading; please report it".to_owned()));
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
        let mut entries = locked(&self.entries);
        // it may have been removed meanwhile
        if let Some(index) = entries.position(id) {
            entries.list[index].slot = slot;
        }
        drop(entries);
        self.changed();
    }

    /// Unloads everything, so that engines end; what they compute ends too.
    pub(crate) fn unload_all(&self) {
        let slots: Vec<Slot> = locked(&self.entries)
            .list
            .iter_mut()
            .map(|entry| std::mem::replace(&mut entry.slot, Slot::Cold))
            .collect();
        drop(slots);
    }

    fn changed(&self) {
        self.changes
            .send_modify(|changes| *changes = changes.wrapping_add(1));
    }
}

impl Entry {
    /// The model, if its files are not those any more that it was loaded from; it is cold then.
    fn take_damaged(&mut self) -> Option<Arc<Warm>> {
        match std::mem::replace(&mut self.slot, Slot::Cold) {
            Slot::Warm(warm) if warm.engine.is_damaged() => Some(warm),
            slot => {
                self.slot = slot;
                None
            }
        }
    }

    /// Memory that the model holds or will hold.
    fn bytes(&self) -> u64 {
        match &self.slot {
            Slot::Cold | Slot::Failed(..) => 0,
            Slot::Loading(_) => self.model.facts.bytes,
            Slot::Warm(warm) => warm.engine.model().decoder.weight_bytes(),
        }
    }
}

/// Lets go of models on a thread of its own: until their engines have ended, nobody's request waits.
fn free(models: impl Send + 'static) {
    let thread = std::thread::Builder::new().name("unload".to_owned());
    // without a thread they are let go of here
    let _ = thread.spawn(move || drop(models));
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

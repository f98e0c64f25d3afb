//! The table of models: from a name to a folder. No name is ever part of a path.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use weightsmith::model::Located;
use weightsmith_infer::Pool;
use weightsmith_server::{ModelRegistry, ServedModel};

use super::discover::{Candidate, in_cache, in_folder, local};
use super::names::Names;
use super::{Facts, ParentName, serve};
use crate::events::Events;
use crate::progress::RunFailure;
use crate::settings::StudioSettings;
use crate::wire::{Event, Folder, Nothing, Origin};

/// A list that is older is made anew when somebody asks for it.
const FRESH: Duration = Duration::from_secs(2);

/// A model of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its name: in addresses, in requests for texts, in recipes.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    /// Its folder; none for what was not written.
    pub(crate) folder: Option<PathBuf>,
    /// Where it was found, with its commit; as the folder.
    pub(crate) located: Option<Located>,
    /// The recipe of a preview.
    pub(crate) recipe: Option<String>,
    /// Another one for other weights, configuration or tokenizer.
    pub(crate) fingerprint: blake3::Hash,
    pub(crate) facts: Arc<Facts>,
}

/// A merge that was not written and speaks.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) recipe: String,
    pub(crate) method: String,
    pub(crate) parents: Vec<ParentName>,
    pub(crate) served: ServedModel,
}

/// All models.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(super) settings: Arc<StudioSettings>,
    /// The models that speak.
    pub(super) registry: Arc<ModelRegistry>,
    /// What they compute on.
    pool: Arc<Pool>,
    pub(super) events: Arc<Events>,
    table: RwLock<Table>,
    /// Held while folders are looked into.
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Table {
    entries: Vec<Arc<Entry>>,
    folders: Vec<Folder>,
}

/// What was found before.
#[derive(Debug, Default)]
struct Memory {
    looked: Option<Instant>,
    /// Models that were there before any was found.
    given: Option<Vec<Arc<ServedModel>>>,
    previews: Vec<Arc<Entry>>,
    facts: BTreeMap<PathBuf, (Signature, Arc<Facts>)>,
    /// Those that were added to the registry from here.
    served: BTreeMap<String, Arc<Entry>>,
}

/// Names, sizes and times of a folder's files: while they stay, nothing is read again.
type Signature = Vec<(String, u64, Option<SystemTime>)>;

impl Catalogue {
    /// A table that nobody has filled yet.
    pub(crate) fn new(
        settings: Arc<StudioSettings>,
        registry: Arc<ModelRegistry>,
        pool: Arc<Pool>,
        events: Arc<Events>,
    ) -> Self {
        Self {
            settings,
            registry,
            pool,
            events,
            table: RwLock::default(),
            memory: Mutex::default(),
        }
    }

    /// Looks for models again, unless that was done a moment ago or is being done: nobody waits for another's look, which a
    /// network's file system can hold up. The first list is made when the studio starts.
    pub(crate) fn refresh_if_old(&self) {
        let memory = match self.memory.try_lock() {
            Ok(memory) => memory,
            Err(TryLockError::Poisoned(memory)) => memory.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if memory.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            self.look(memory);
        }
    }

    /// Looks for models again; tells the pages when something changed.
    pub(crate) fn refresh(&self) {
        self.look(locked(&self.memory));
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Arc<Entry>> {
        self.read(|table| table.entries.clone())
    }

    /// The folders that are looked into.
    pub(crate) fn folders(&self) -> Vec<Folder> {
        self.read(|table| table.folders.clone())
    }

    /// The model of that name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Entry>> {
        self.read(|table| {
            let mut entries = table.entries.iter();
            entries.find(|entry| entry.name == name).cloned()
        })
    }

    /// The model that a run is to work on.
    pub(crate) fn model(&self, name: &str) -> Result<Arc<Entry>, RunFailure> {
        let found = self.find(name);
        found.ok_or_else(|| RunFailure::of(format!("no model `{name}`")))
    }

    /// Where a model of that name is made.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.settings.made().join(name)
    }

    /// The folders that hold models, those that were given and those of the models themselves.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        let entries = self.list();
        let models = entries.iter().filter_map(|entry| entry.folder.clone());
        let settings = &self.settings;
        let roots = [settings.made(), settings.locate.hub_cache.clone()].into_iter();
        let roots = roots.chain(settings.folders.iter().cloned());
        roots.chain(models).collect()
    }

    /// Adds a merge that was not written; it can be asked for texts at once. Nothing happens when the name is taken.
    pub(crate) fn add_preview(&self, preview: Preview) -> Option<Arc<Entry>> {
        let Preview {
            recipe,
            method,
            parents,
            served,
        } = preview;
        let mut memory = locked(&self.memory);
        let entry = Arc::new(Entry {
            name: served.name.clone(),
            origin: Origin::Preview,
            folder: None,
            located: None,
            // a preview has another name where one of its models is another one
            fingerprint: blake3::hash(format!("{}\0{recipe}", served.name).as_bytes()),
            recipe: Some(recipe),
            facts: Arc::new(Facts {
                method: Some(method),
                parents,
                ..Facts::of_served(&served.facts)
            }),
        });
        if self.find(&entry.name).is_some() || !self.registry.add(served) {
            return None;
        }
        memory.previews.push(Arc::clone(&entry));
        self.look(memory);
        Some(entry)
    }

    /// Remove a preview; false if there is none of that name.
    pub(crate) fn remove_preview(&self, name: &str) -> bool {
        let mut memory = locked(&self.memory);
        let Some(index) = memory.previews.iter().position(|one| one.name == name) else {
            return false;
        };
        memory.previews.remove(index);
        self.registry.remove(name);
        self.look(memory);
        true
    }

    fn read<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self, mut memory: MutexGuard<'_, Memory>) {
        let (entries, folders) = memory.entries(&self.settings, &self.registry);
        memory.serve(&self.registry, &entries, |entry| {
            serve::served(entry, &self.pool, self.settings.options)
        });
        memory.looked = Some(Instant::now());
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let changed = table.entries != entries || table.folders != folders;
        *table = Table { entries, folders };
        drop(table);
        drop(memory);
        if changed {
            self.events.tell(Event::Models(Nothing {}));
        }
    }
}

impl Memory {
    /// The whole table: given ones keep their names, then come previews, those made here, folders and the cache.
    fn entries(
        &mut self,
        settings: &StudioSettings,
        registry: &ModelRegistry,
    ) -> (Vec<Arc<Entry>>, Vec<Folder>) {
        let given = self.given.get_or_insert_with(|| registry.models()).clone();
        let mut names = Names::default();
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        // a folder and a link to it are two: each can be asked for by its own name
        let mut known: BTreeSet<(PathBuf, Option<OsString>)> = BTreeSet::new();
        let mut read: BTreeMap<PathBuf, (Signature, Arc<Facts>)> = BTreeMap::new();
        for model in given {
            let candidate = model.folder.clone().map(|folder| {
                known.insert(identity(&folder));
                local(model.name.clone(), folder, Origin::Given)
            });
            let name = names.take(&model.name);
            entries.push(match candidate {
                Some(candidate) => self.entry(name, candidate, &mut read),
                None => Arc::new(Entry {
                    name,
                    origin: Origin::Given,
                    folder: None,
                    located: None,
                    recipe: None,
                    fingerprint: blake3::hash(model.name.as_bytes()),
                    facts: Arc::new(Facts::of_served(&model.facts)),
                }),
            });
        }
        for preview in &self.previews {
            names.take(&preview.name);
            entries.push(Arc::clone(preview));
        }
        let (candidates, folders) = candidates(settings);
        for candidate in candidates {
            if known.insert(identity(&candidate.located.folder)) {
                let name = names.take(&candidate.name);
                entries.push(self.entry(name, candidate, &mut read));
            }
        }
        self.facts = read;
        (entries, folders)
    }

    /// An entry with its facts, which are read only if the folder changed.
    fn entry(
        &self,
        name: String,
        candidate: Candidate,
        read: &mut BTreeMap<PathBuf, (Signature, Arc<Facts>)>,
    ) -> Arc<Entry> {
        let Candidate {
            origin,
            mut located,
            ..
        } = candidate;
        if origin != Origin::Cache {
            located.label.clone_from(&name);
        }
        let folder = located.folder.clone();
        let now = signature(&folder);
        let facts = match self.facts.get(&folder) {
            Some((before, facts)) if *before == now => Arc::clone(facts),
            _ => Arc::new(Facts::read(&located)),
        };
        let fingerprint = fingerprint(&folder, &now);
        read.insert(folder.clone(), (now, Arc::clone(&facts)));
        Arc::new(Entry {
            name,
            origin,
            folder: Some(folder),
            located: Some(located),
            recipe: None,
            fingerprint,
            facts,
        })
    }

    /// Lets those models speak that can, and no others.
    fn serve(
        &mut self,
        registry: &ModelRegistry,
        entries: &[Arc<Entry>],
        served: impl Fn(&Entry) -> Option<ServedModel>,
    ) {
        let mut before = std::mem::take(&mut self.served);
        for entry in entries {
            if matches!(entry.origin, Origin::Given | Origin::Preview) {
                continue;
            }
            let known = before.remove(&entry.name);
            // a new card is no reason to load the weights again
            let is_same = |one: &Arc<Entry>| {
                (&one.folder, one.fingerprint) == (&entry.folder, entry.fingerprint)
            };
            if known.as_ref().is_some_and(is_same) {
                self.served.insert(entry.name.clone(), Arc::clone(entry));
                continue;
            }
            if known.is_some() {
                registry.remove(&entry.name);
            }
            if let Some(model) = served(entry)
                && registry.add(model)
            {
                self.served.insert(entry.name.clone(), Arc::clone(entry));
            }
        }
        for name in before.keys() {
            registry.remove(name);
        }
    }
}

/// Everything that is found on the disk.
fn candidates(settings: &StudioSettings) -> (Vec<Candidate>, Vec<Folder>) {
    let made = settings.made();
    let mut found = in_folder(&made, Origin::Made).unwrap_or_default();
    let mut folders = Vec::new();
    for folder in &settings.folders {
        let error = match in_folder(folder, Origin::Folder) {
            Ok(models) => {
                found.extend(models);
                None
            }
            Err(problem) => Some(problem),
        };
        folders.push(Folder {
            path: folder.display().to_string(),
            error,
        });
    }
    found.extend(in_cache(&settings.locate.hub_cache));
    (found, folders)
}

/// Where a folder really is, and what it is called there where it was found.
fn identity(folder: &Path) -> (PathBuf, Option<OsString>) {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().or_else(|| real.file_name());
    let name = name.map(OsString::from);
    (real, name)
}

fn signature(folder: &Path) -> Signature {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Signature = entries
        .filter_map(Result::ok)
        .map(|entry| {
            let metadata = fs_err::metadata(entry.path()).ok();
            (
                entry.file_name().to_string_lossy().into_owned(),
                metadata.as_ref().map_or(0, std::fs::Metadata::len),
                metadata.and_then(|metadata| metadata.modified().ok()),
            )
        })
        .collect();
    files.sort();
    files
}

/// The same for the same weights, configuration and tokenizer at the same place.
fn fingerprint(folder: &Path, files: &Signature) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(folder.as_os_str().as_encoded_bytes());
    for (name, size, time) in files {
        let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
        if !matches!(kind, "md" | "svg" | "png" | "jpg" | "yml") {
            hasher.update(format!("\0{name}\0{size}\0{time:?}").as_bytes());
        }
    }
    hasher.finalize()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn the_list_is_there_while_folders_are_looked_into() {
        let mut world = World::new();
        world.copy("base", "base");
        let studio = world.open();
        let app = studio.app();
        let mut memory = locked(&app.catalogue.memory);
        memory.looked = None;
        // it would wait here for ever
        app.catalogue.refresh_if_old();
        assert_eq!(app.catalogue.list().len(), 1);
        assert!(app.catalogue.find("base").is_some());
        drop(memory);
    }
}

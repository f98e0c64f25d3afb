//! A folder here for a model whose place is elsewhere: merged there, then sent, and kept until all of it has gone.

use std::path::{Path, PathBuf};

use fs_err::File;
use serde::Serialize as _;
use weightsmith::output::Lock;
use weightsmith::plan::Plan;

use crate::failure::Failure;
use crate::settings::MergeSettings;

/// A staging folder that no other process uses while this is held.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    #[expect(dead_code, reason = "held, not used")]
    lock: File,
}

impl Staging {
    /// The folder for a destination, under `base`.
    pub(crate) fn open(base: &Path, destination: &str) -> Result<Self, Failure> {
        let hash = blake3::hash(destination.as_bytes()).to_hex();
        let name = destination.rsplit('/').next().unwrap_or_default();
        let folder = base.join(format!("{name}-{}", &hash[..16]));
        fs_err::create_dir_all(&folder)?;
        let lock = File::create(folder.join("in-use"))?;
        if lock.file().try_lock().is_err() {
            return Err(Failure::new(anyhow::anyhow!(
                "another process merges to `{destination}`, in {}",
                folder.display()
            ))
            .hint("wait for it, or name another folder with `--staging`"));
        }
        Ok(Self { folder, lock })
    }

    /// Where the model is merged.
    pub(crate) fn model(&self) -> PathBuf {
        self.folder.join("model")
    }

    /// Where an upload keeps what it needs to go on.
    pub(crate) fn record(&self) -> PathBuf {
        self.folder.join("upload.json")
    }

    /// Whether the model of this plan is there, complete.
    pub(crate) fn has(&self, key: &str) -> bool {
        fs_err::read_to_string(self.key()).is_ok_and(|known| known == key)
            && Lock::read(&self.model()).is_ok()
    }

    /// Says that the model is none from now on.
    pub(crate) fn begin(&self) -> Result<(), Failure> {
        match fs_err::remove_file(self.key()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says that the model of this plan is complete.
    pub(crate) fn complete(&self, key: &str) -> Result<(), Failure> {
        Ok(fs_err::write(self.key(), key)?)
    }

    /// Removes it: what was in it has arrived.
    pub(crate) fn remove(self) -> Result<(), Failure> {
        Ok(fs_err::remove_dir_all(&self.folder)?)
    }

    fn key(&self) -> PathBuf {
        self.folder.join("merged")
    }
}

/// Stands for everything that a merged model depends on: the plan with the times and versions of its inputs, the recipe's text and
/// the options that change what is written.
pub(crate) fn key(plan: &Plan, recipe: &str, settings: &MergeSettings) -> Result<String, Failure> {
    let mut hasher = blake3::Hasher::new();
    plan.serialize(&mut serde_json::Serializer::new(&mut hasher))?;
    let MergeSettings {
        allow_non_finite,
        copy_companions,
        card,
        ..
    } = settings;
    let rest = (
        env!("CARGO_PKG_VERSION"),
        recipe,
        allow_non_finite,
        copy_companions,
        card,
    );
    rest.serialize(&mut serde_json::Serializer::new(&mut hasher))?;
    Ok(hasher.finalize().to_hex().to_string())
}

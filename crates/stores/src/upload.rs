//! A model's way into a store.
//!
//! A store has no folders that could be renamed into place. So an upload first claims the folder with an object that only one can
//! make; it takes an older result's lock away, so that nobody takes the mixture for a model; and it writes the new lock last, where
//! none is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::UpdateVersion;

use crate::bucket::{Bucket, Object};
use crate::record::{Record, Sent};
use crate::sending::{Sender, hash};
use crate::survey::{CLAIM, Claim};
use crate::{Progress, StoreError, Stores, Survey};

/// A file to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadFile {
    /// Its name below the destination, with `/` between its parts.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}

/// What an upload depends on besides its files.
#[derive(Debug, Clone)]
pub struct UploadOptions<'a> {
    /// The file that completes the result; it goes last.
    pub lock: &'a UploadFile,
    /// Objects of the result that is there, which go where the new one has none of their names.
    pub replaced: &'a [String],
    /// Where this upload keeps what it needs to go on after an interruption.
    pub record: PathBuf,
    /// Take the place of another upload.
    pub force: bool,
    /// Set from outside to stop.
    pub interrupt: &'a AtomicBool,
}

/// What an upload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// Files that were sent, the lock among them.
    pub sent: usize,
    /// Files that an interrupted upload had sent.
    pub resumed: usize,
}

impl Stores {
    /// Uploads a model to a place that was looked at.
    ///
    /// Nobody sees the lock before everything else is there. After an error or interruption the same call, with the same record and
    /// a new survey, goes on: what was sent whole is not sent again, as long as it is still the object that was written.
    ///
    /// # Errors
    /// When something cannot be written, or somebody else writes there.
    pub fn upload(
        &self,
        survey: &Survey,
        files: &[UploadFile],
        options: &UploadOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<Uploaded, StoreError> {
        survey.allow(&options.record, options.force)?;
        let record = Record::open(&options.record, &survey.address)?;
        let upload = Upload {
            bucket: self.bucket(&survey.address)?,
            survey,
            files,
            options,
            progress,
            part: self.settings.part,
            connections: self.settings.connections,
        };
        self.runtime.block_on(upload.run(record))
    }
}

struct Upload<'a> {
    bucket: Bucket,
    survey: &'a Survey,
    files: &'a [UploadFile],
    options: &'a UploadOptions<'a>,
    progress: &'a dyn Progress,
    part: u64,
    connections: usize,
}

impl Upload<'_> {
    async fn run(&self, mut record: Record) -> Result<Uploaded, StoreError> {
        let stale = self.stale(&record);
        self.refuse_foreign_weights(&stale)?;
        self.claim(&record).await?;
        if self.is_complete(&record).await? {
            self.bucket.delete(CLAIM).await?;
            record.forget()?;
            return Ok(Uploaded {
                sent: 0,
                resumed: self.files.len() + 1,
            });
        }
        if self.survey.lock.is_some() && !self.options.force {
            let address = self.bucket.address.clone();
            return Err(StoreError::ResultThere { address });
        }
        self.give_up_parts(&mut record).await?;
        self.take_old_lock_away().await?;
        for name in &stale {
            self.bucket.delete(name).await?;
            record.content.sent.remove(name);
        }
        let resumed = self.send_all(&mut record).await?;
        self.check_all(&record).await?;
        self.progress.end();
        self.check_claim(&record).await?;
        self.put_lock().await?;
        self.bucket.delete(CLAIM).await?;
        record.forget()?;
        Ok(Uploaded {
            sent: self.files.len() + 1 - resumed,
            resumed,
        })
    }

    /// Objects of the old result, or of an earlier run of this upload, that the new result has no file for.
    fn stale(&self, record: &Record) -> Vec<String> {
        let is_ours = |object: &&Object| {
            let sent = record.content.sent.get(&object.name);
            self.options.replaced.contains(&object.name)
                || sent.is_some_and(|sent| is_it(object, sent))
        };
        let objects = self.survey.objects.iter().filter(is_ours);
        objects
            .map(|object| object.name.clone())
            .filter(|name| self.files.iter().all(|file| file.name != *name))
            .filter(|name| *name != self.options.lock.name)
            .collect()
    }

    /// Weights of other models that would stay: a reader of the folder would take them for part of this one.
    fn refuse_foreign_weights(&self, stale: &[String]) -> Result<(), StoreError> {
        let is_replaced = |object: &Object| {
            self.files.iter().any(|file| file.name == object.name) || stale.contains(&object.name)
        };
        let is_weights = |name: &str| {
            !name.contains('/')
                && (name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json"))
        };
        let objects = self.survey.objects.iter();
        let found: Vec<String> = objects
            .filter(|object| is_weights(&object.name) && !is_replaced(object))
            .map(|object| object.name.clone())
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        Err(StoreError::ForeignWeights {
            address: self.bucket.address.clone(),
            found,
        })
    }

    /// Makes this upload the only one, or finds that it is.
    async fn claim(&self, record: &Record) -> Result<(), StoreError> {
        let standing = self.survey.claim.as_ref();
        let own = &record.content.upload;
        if standing.is_some_and(|claim| claim.upload.as_ref() == Some(own)) {
            return self.check_claim(record).await;
        }
        let claim = Claim {
            upload: own.clone(),
            by: concat!("weightsmith ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let bytes = serde_json::to_vec(&claim).map_err(std::io::Error::other)?;
        let condition = standing.map(|claim| claim.version.clone());
        if self.bucket.put_if(CLAIM, bytes, condition).await? {
            return Ok(());
        }
        Err(self.overtaken("another upload started"))
    }

    /// The claim must still be this upload's.
    async fn check_claim(&self, record: &Record) -> Result<(), StoreError> {
        let found = self.bucket.get(CLAIM).await?;
        let claim = found.and_then(|claim| serde_json::from_slice::<Claim>(&claim.bytes).ok());
        if claim.is_some_and(|claim| claim.upload == record.content.upload) {
            return Ok(());
        }
        Err(self.overtaken("another upload replaced this one"))
    }

    /// Whether an earlier run got as far as the lock.
    async fn is_complete(&self, record: &Record) -> Result<bool, StoreError> {
        let lock = fs_err::read(&self.options.lock.path)?;
        if self.survey.lock() != Some(lock.as_slice()) {
            return Ok(false);
        }
        let is_sent = |file: &UploadFile| record.content.sent.contains_key(&file.name);
        if !self.files.iter().all(is_sent) {
            return Ok(false);
        }
        self.check_all(record).await?;
        Ok(true)
    }

    /// Lets the store forget the parts that a killed run left behind.
    async fn give_up_parts(&self, record: &mut Record) -> Result<(), StoreError> {
        for (name, id) in std::mem::take(&mut record.content.open) {
            let path = self.bucket.path(&name)?;
            // it may be complete or forgotten already
            let _ = self.bucket.objects.abort_multipart(&path, &id).await;
        }
        record.save()
    }

    /// The lock must be what it was; then it goes, for what is there is no model from now on.
    async fn take_old_lock_away(&self) -> Result<(), StoreError> {
        let name = &self.options.lock.name;
        let found = self.bucket.get(name).await?;
        let tag = |version: &UpdateVersion| version.e_tag.clone();
        match (&self.survey.lock, found) {
            (None, None) => Ok(()),
            (Some((_, known)), Some(found)) if tag(known) == tag(&found.version) => {
                self.bucket.delete(name).await
            }
            (None, Some(_)) => Err(self.overtaken("a result appeared")),
            (Some(_), _) => Err(self.overtaken("the existing result changed")),
        }
    }

    /// Sends what is not there yet; gives the number of files that were.
    async fn send_all(&self, record: &mut Record) -> Result<usize, StoreError> {
        let mut left = Vec::new();
        for file in self.files {
            if self.is_there(record, file)? {
                continue;
            }
            record.content.sent.remove(&file.name);
            left.push(file);
        }
        // large files first: what goes wrong with them shows early
        left.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
        let sizes: Vec<(String, u64)> = left
            .iter()
            .map(|file| (file.name.clone(), file.size))
            .collect();
        self.progress.begin(&sizes);
        for (index, file) in left.iter().enumerate() {
            let sender = Sender {
                bucket: &self.bucket,
                part: self.part,
                connections: self.connections,
                interrupt: self.options.interrupt,
                advance: &|bytes| self.progress.advance(index, bytes),
            };
            let sent = sender.send(file, record).await?;
            record.content.sent.insert(file.name.clone(), sent);
            record.save()?;
        }
        Ok(self.files.len() - left.len())
    }

    /// Whether an object is the one that an earlier run wrote with the bytes that the file has now.
    fn is_there(&self, record: &Record, file: &UploadFile) -> Result<bool, StoreError> {
        let Some(sent) = record.content.sent.get(&file.name) else {
            return Ok(false);
        };
        let mut objects = self.survey.objects.iter();
        let is_object = objects.any(|object| object.name == file.name && is_it(object, sent));
        Ok(is_object && sent.size == file.size && sent.blake3 == hash(&file.path)?)
    }

    /// Everything must be there as it was written.
    async fn check_all(&self, record: &Record) -> Result<(), StoreError> {
        let objects = self.bucket.list_all().await?;
        for file in self.files {
            let found = objects.iter().find(|object| object.name == file.name);
            let sent = record.content.sent.get(&file.name);
            let is_sound = match (found, sent) {
                (Some(object), Some(sent)) => is_it(object, sent) && sent.size == file.size,
                _ => false,
            };
            if !is_sound {
                let what = format!("`{}` differs from what was sent", file.name);
                return Err(self.overtaken(&what));
            }
        }
        Ok(())
    }

    async fn put_lock(&self) -> Result<(), StoreError> {
        if self.options.interrupt.load(Ordering::Relaxed) {
            return Err(StoreError::Interrupted);
        }
        let lock = fs_err::read(&self.options.lock.path)?;
        let name = &self.options.lock.name;
        if self.bucket.put_if(name, lock, None).await? {
            return Ok(());
        }
        Err(self.overtaken(&format!("`{name}` appeared")))
    }

    fn overtaken(&self, what: &str) -> StoreError {
        StoreError::Overtaken {
            address: self.bucket.address.clone(),
            what: what.to_owned(),
        }
    }
}

fn is_it(object: &Object, sent: &Sent) -> bool {
    object.size == sent.size && object.tag.as_deref() == Some(&sent.tag)
}

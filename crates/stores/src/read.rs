//! Models that are read where they are.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err::OpenOptions;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use tokio::runtime::Runtime;
use weightsmith_tensors::{
    Checkpoint, RemoteFile, RemoteRead, WeightFiles, indexed_files, is_companion,
};

use crate::bucket::{Bucket, Object};
use crate::survey::CLAIM;
use crate::{Address, StoreError, Stores};

/// The largest file that comes along without being weights.
const LARGEST_COMPANION: u64 = 1 << 30;
/// Bytes of a small file that are asked for at once.
const PIECE: u64 = 8 << 20;
/// Folders whose files come along.
const FOLDERS: [&str; 2] = ["additional_chat_templates", "chat_templates"];

/// What lies under an address.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The address.
    pub address: Address,
    /// Names of the objects there and their sizes, of sub-folders only those with chat templates.
    pub files: Vec<(String, u64)>,
    /// Stands for the objects as they are: another one when any of them is written again.
    pub version: String,
    objects: Vec<Object>,
}

/// A model that is ready to be read.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The folder here with its `config.json`, tokenizer and so on.
    pub folder: PathBuf,
    /// [`Listing::version`].
    pub version: String,
    /// Its weights, read where they are.
    pub checkpoint: Arc<Checkpoint>,
}

impl Stores {
    /// Asks what a model consists of.
    ///
    /// # Errors
    /// When it cannot be had, with the reason.
    pub fn look(&self, address: &Address) -> Result<Listing, StoreError> {
        let bucket = self.bucket(address)?;
        let objects = self.runtime.block_on(files(&bucket))?;
        let address = address.clone();
        if objects.is_empty() {
            return Err(StoreError::Nothing { address });
        }
        if objects.iter().any(|object| object.name == CLAIM) {
            return Err(StoreError::Uploading { address });
        }
        let listing = Listing {
            files: objects
                .iter()
                .map(|object| (object.name.clone(), object.size))
                .collect(),
            version: version(&objects),
            address,
            objects,
        };
        listing.weights()?;
        Ok(listing)
    }

    /// Fetches a model's small files and the headers of its weights, which stay where they are.
    ///
    /// # Errors
    /// When something cannot be had, is not sound, or has changed since it was looked at.
    pub fn open(&self, listing: &Listing) -> Result<Stored, StoreError> {
        let bucket = self.bucket(&listing.address)?;
        let folder = self.cached(&listing.address, &listing.version);
        fs_err::create_dir_all(&folder)?;
        let companions = listing
            .objects
            .iter()
            .filter(|object| is_companion(&object.name) && object.size <= LARGEST_COMPANION);
        let fetching = iter(companions.map(|object| fetch(&bucket, object, &folder)))
            .buffer_unordered(self.settings.connections)
            .try_collect::<()>();
        self.runtime.block_on(fetching)?;
        let (names, index) = match listing.weights()? {
            WeightFiles::Indexed(index) => {
                let index = folder.join(index);
                (indexed_files(&index)?, Some(index))
            }
            WeightFiles::Files(names) => (names, None),
        };
        let mut files = Vec::new();
        for name in names {
            let found = listing.objects.iter().find(|object| object.name == name);
            files.push(InStore {
                object: found.cloned().ok_or_else(|| StoreError::NoFile {
                    address: listing.address.clone(),
                    file: name,
                })?,
                bucket: bucket.clone(),
                runtime: Arc::clone(&self.runtime),
            });
        }
        let place = listing.address.to_string();
        let connections = self.settings.connections;
        let files = RemoteFile::open_all(Path::new(&place), files, connections, &self.blocks)?;
        let checkpoint = Checkpoint::open_remote(&folder, index.as_deref(), files)?;
        Ok(Stored {
            folder,
            version: listing.version.clone(),
            checkpoint: Arc::new(checkpoint.at_revision(&listing.version)),
        })
    }
}

impl Listing {
    /// The weights: an index, or the files themselves.
    fn weights(&self) -> Result<WeightFiles, StoreError> {
        let names: Vec<String> = self.files.iter().map(|(name, _)| name.clone()).collect();
        match WeightFiles::choose(Path::new(&self.address.to_string()), &names) {
            Err(weightsmith_tensors::Error::NoWeights { found, .. }) => {
                Err(StoreError::NoWeights {
                    address: self.address.clone(),
                    found,
                })
            }
            other => Ok(other?),
        }
    }
}

/// The objects that may belong to a model.
async fn files(bucket: &Bucket) -> Result<Vec<Object>, StoreError> {
    let (mut objects, folders) = bucket.list("").await?;
    for folder in folders {
        if FOLDERS.contains(&folder.as_str()) {
            objects.extend(bucket.list(&folder).await?.0);
        }
    }
    Ok(objects)
}

/// A hash of all names, sizes and tags.
fn version(objects: &[Object]) -> String {
    let mut hasher = blake3::Hasher::new();
    for object in objects {
        let tag = object.tag.as_deref().unwrap_or_default();
        for part in [object.name.as_str(), &object.size.to_string(), tag] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..40].to_owned()
}

/// Puts a small file into a folder, unless it is there: the folder is of one version.
async fn fetch(bucket: &Bucket, object: &Object, folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(&object.name);
    if fs_err::metadata(&path).is_ok_and(|file| file.len() == object.size) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let _ = fs_err::remove_file(&new); // of a process that had the same number
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    let mut start = 0;
    while start < object.size {
        let end = (start + PIECE).min(object.size);
        file.write_all(&bucket.read(object, start..end).await?)?;
        start = end;
    }
    drop(file);
    fs_err::rename(&new, &path)?;
    Ok(())
}

/// A file of weights, read by ranges.
#[derive(Debug)]
struct InStore {
    bucket: Bucket,
    object: Object,
    runtime: Arc<Runtime>,
}

impl RemoteRead for InStore {
    type Error = StoreError;

    fn name(&self) -> &str {
        &self.object.name
    }

    fn size(&self) -> u64 {
        self.object.size
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        self.runtime.block_on(self.bucket.read(&self.object, range))
    }
}

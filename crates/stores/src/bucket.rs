//! The objects under an address.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    PutPayload, UpdateVersion,
};

use tokio::time::timeout;

use crate::pages::{LARGEST_OBJECT, LONGEST, MOST_OBJECTS, Pages};
use crate::{Address, StoreError};

/// A store with uploads in parts that can be given up by their number.
pub(crate) trait Objects: ObjectStore + MultipartStore + Debug {}

impl<T: ObjectStore + MultipartStore + Debug> Objects for T {}

/// The objects under an address, by their names below it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) address: Address,
}

/// An object as a store describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its name below the address.
    pub(crate) name: String,
    pub(crate) size: u64,
    /// Changes whenever the object does.
    pub(crate) tag: Option<String>,
}

/// A small object with its content.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: UpdateVersion,
    /// When it was written.
    pub(crate) since: String,
}

impl Bucket {
    /// An object's full name.
    pub(crate) fn path(&self, name: &str) -> Result<Path, StoreError> {
        let prefix = &self.address.prefix;
        let full = match (prefix.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => prefix.clone(),
            (false, false) => format!("{prefix}/{name}"),
        };
        Path::parse(full).map_err(|error| self.error("use", &error.into()))
    }

    pub(crate) fn error(&self, action: &'static str, error: &Error) -> StoreError {
        StoreError::of(&self.address, action, error)
    }

    /// The objects right below the address, and the names of folders.
    pub(crate) async fn list(
        &self,
        folder: &str,
    ) -> Result<(Vec<Object>, Vec<String>), StoreError> {
        let path = self.path(folder)?;
        let listing = self.objects.list_with_delimiter(Some(&path));
        let found = self.in_time(listing).await?;
        let mut objects = self.below(found.objects)?;
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        let folders = found.common_prefixes.iter();
        Ok((
            objects,
            folders.filter_map(|path| self.name(path)).collect(),
        ))
    }

    /// All objects below the address.
    pub(crate) async fn list_all(&self) -> Result<Vec<Object>, StoreError> {
        let path = self.path("")?;
        let listing = self.objects.list(Some(&path)).take(MOST_OBJECTS + 1);
        let found: Vec<ObjectMeta> = self.in_time(listing.try_collect()).await?;
        let mut objects = self.below(found)?;
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(objects)
    }

    /// A listing, given up when it takes too long.
    async fn in_time<T>(
        &self,
        listing: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, StoreError> {
        self.pages.begin();
        match timeout(LONGEST, listing).await {
            Ok(found) => found.map_err(|error| self.error("list", &error)),
            Err(_) => Err(self.lie(format!(
                "the listing took longer than {} seconds",
                LONGEST.as_secs()
            ))),
        }
    }

    fn below(&self, found: Vec<ObjectMeta>) -> Result<Vec<Object>, StoreError> {
        if found.len() > MOST_OBJECTS {
            return Err(self.lie(format!("more than {MOST_OBJECTS} objects")));
        }
        if let Some(meta) = found.iter().find(|meta| meta.size > LARGEST_OBJECT) {
            return Err(self.lie(format!(
                "`{}` is reported to have {} bytes, at most {LARGEST_OBJECT} are allowed",
                meta.location, meta.size
            )));
        }
        let object = |meta: ObjectMeta| {
            Some(Object {
                name: self.name(&meta.location)?,
                size: meta.size,
                tag: meta.e_tag,
            })
        };
        Ok(found.into_iter().filter_map(object).collect())
    }

    /// An answer that no store gives.
    fn lie(&self, problem: String) -> StoreError {
        StoreError::Other {
            address: self.address.clone(),
            action: "list",
            problem,
        }
    }

    /// A name below the address; none for the address itself, which some tools mark with an empty object.
    fn name(&self, path: &Path) -> Option<String> {
        let full: &str = path.as_ref();
        let below = match self.address.prefix.as_str() {
            "" => full,
            prefix => full.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        (!below.is_empty()).then(|| below.to_owned())
    }

    /// A range of an object that still has its tag.
    pub(crate) async fn read(
        &self,
        object: &Object,
        range: Range<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let wanted = range.end - range.start;
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let options = GetOptions {
            if_match: object.tag.clone(),
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let path = self.path(&object.name)?;
        let changed = || StoreError::Changed {
            address: self.address.clone(),
            object: object.name.clone(),
        };
        let failed = |error: Error| match error {
            Error::Precondition { .. } | Error::NotFound { .. } => changed(),
            error => self.error("read", &error),
        };
        let got = self
            .objects
            .get_opts(&path, options)
            .await
            .map_err(failed)?;
        if got.meta.size != object.size {
            return Err(changed());
        }
        let bytes = got.bytes().await.map_err(failed)?;
        if bytes.len() as u64 != wanted {
            return Err(changed());
        }
        Ok(bytes.into())
    }

    /// A small object, where it is there.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Content>, StoreError> {
        let failed = |error: Error| self.error("read", &error);
        let got = match self.objects.get(&self.path(name)?).await {
            Ok(got) => got,
            Err(error @ Error::NotFound { .. }) => {
                return match failed(error) {
                    missing @ StoreError::NoBucket { .. } => Err(missing),
                    _ => Ok(None),
                };
            }
            Err(error) => return Err(failed(error)),
        };
        let version = UpdateVersion {
            e_tag: got.meta.e_tag.clone(),
            version: got.meta.version.clone(),
        };
        let since = got.meta.last_modified.format("%Y-%m-%d %H:%M:%S UTC");
        let since = since.to_string();
        let bytes = got.bytes().await.map_err(failed)?.into();
        Ok(Some(Content {
            bytes,
            version,
            since,
        }))
    }

    /// Writes a small object where none is, or where the object still has that version; tells whether that was so.
    pub(crate) async fn put_if(
        &self,
        name: &str,
        bytes: Vec<u8>,
        condition: Option<UpdateVersion>,
    ) -> Result<bool, StoreError> {
        let mode = condition.map_or(PutMode::Create, PutMode::Update);
        let path = self.path(name)?;
        let payload = PutPayload::from(bytes);
        match self
            .objects
            .put_opts(&path, payload, PutOptions::from(mode))
            .await
        {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.error("write to", &error)),
        }
    }

    /// Deletes an object, if it is there.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.objects.delete(&self.path(name)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error("delete from", &error)),
        }
    }
}

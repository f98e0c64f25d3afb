//! What is at the place where a model is to go.

use std::path::Path;

use object_store::UpdateVersion;
use serde::{Deserialize, Serialize};

use crate::bucket::Object;
use crate::record::Record;
use crate::{Address, StoreError, Stores};

/// The object that says that an upload is under way.
pub(crate) const CLAIM: &str = "weightsmith.upload.json";

/// The content of [`CLAIM`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The upload's number.
    pub(crate) upload: String,
    /// What makes it.
    pub(crate) by: String,
}

/// What was at a destination when it was looked at.
#[derive(Debug)]
pub struct Survey {
    pub(crate) address: Address,
    pub(crate) objects: Vec<Object>,
    pub(crate) claim: Option<Standing>,
    pub(crate) lock: Option<(Vec<u8>, UpdateVersion)>,
}

/// A claim that stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) upload: Option<String>,
    pub(crate) version: UpdateVersion,
    since: String,
}

impl Stores {
    /// Looks at where a model is to go. `lock` is the name of the object that completes a result.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn survey(&self, address: &Address, lock: &str) -> Result<Survey, StoreError> {
        let bucket = self.bucket(address)?;
        self.runtime.block_on(async {
            let objects = bucket.list_all().await?;
            let has = |name: &str| objects.iter().any(|object| object.name == name);
            let claim = if has(CLAIM) {
                bucket.get(CLAIM).await?
            } else {
                None
            };
            let lock = if has(lock) {
                bucket.get(lock).await?
            } else {
                None
            };
            Ok(Survey {
                address: address.clone(),
                objects,
                claim: claim.map(|content| Standing {
                    upload: serde_json::from_slice(&content.bytes)
                        .ok()
                        .map(|claim: Claim| claim.upload),
                    version: content.version,
                    since: content.since,
                }),
                lock: lock.map(|content| (content.bytes, content.version)),
            })
        })
    }
}

impl Survey {
    /// The lock of the result that is there.
    pub fn lock(&self) -> Option<&[u8]> {
        self.lock.as_ref().map(|(bytes, _)| bytes.as_slice())
    }

    /// Whether a result may go there: nothing is, or what the upload recorded in the file `record` has begun. With `force` an
    /// earlier result, other objects and another upload's claim are no reason against it.
    ///
    /// # Errors
    /// The reason why not.
    pub fn allow(&self, record: &Path, force: bool) -> Result<(), StoreError> {
        let address = self.address.clone();
        if let Some(claim) = &self.claim {
            let own = Record::number(record, &self.address)?;
            if force || (own.is_some() && claim.upload == own) {
                return Ok(());
            }
            let since = claim.since.clone();
            return Err(StoreError::Claimed { address, since });
        }
        if force || self.objects.is_empty() {
            return Ok(());
        }
        if self.lock.is_some() {
            return Err(StoreError::ResultThere { address });
        }
        let found = self.objects.iter().map(|object| object.name.clone());
        Err(StoreError::Occupied {
            address,
            found: found.collect(),
        })
    }
}

//! All stores, and the runtime that asks them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::RetryConfig;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use tokio::runtime::{Builder, Runtime};
use weightsmith_tensors::BlockCache;

use crate::bucket::{Bucket, Objects};
use crate::connector::Connector;
use crate::pages::Pages;
use crate::{Address, Scheme, StoreError, StoreSettings};

/// For how long a request is made again.
const LONGEST_RETRIES: Duration = Duration::from_mins(2);

/// A store, and the count of what it lists.
type Open = (Arc<dyn Objects>, Arc<Pages>);

/// Object stores, asked by blocking calls.
#[derive(Debug)]
pub struct Stores {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) settings: StoreSettings,
    pub(crate) blocks: Arc<BlockCache>,
    /// Stores by scheme and bucket, so that connections and credentials are kept.
    open: Mutex<HashMap<(Scheme, String), Open>>,
}

impl Stores {
    /// Stores; nothing is asked yet.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(settings: StoreSettings) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("stores")
            .enable_time()
            .build()?;
        Ok(Self {
            runtime: Arc::new(runtime),
            settings,
            blocks: Arc::default(),
            open: Mutex::default(),
        })
    }

    /// With a store in memory in the place of a bucket.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_memory(
        self,
        scheme: Scheme,
        bucket: &str,
        memory: Arc<object_store::memory::InMemory>,
    ) -> Self {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((scheme, bucket.to_owned()), (memory, Arc::default()));
        self
    }

    /// Bytes of tensors that were read by [`Checkpoint::read`](weightsmith_tensors::TensorSource::read) of opened models so far.
    pub fn streamed_bytes(&self) -> u64 {
        self.blocks.fetched()
    }

    /// The folder for a model's small files, of the version that was looked at.
    pub(crate) fn cached(&self, address: &Address, version: &str) -> PathBuf {
        let place = blake3::hash(address.to_string().as_bytes()).to_hex();
        let name = format!("{}-{}", address.name(), &place[..16]);
        self.settings.cache.join(name).join(version)
    }

    /// The bucket of an address.
    pub(crate) fn bucket(&self, address: &Address) -> Result<Bucket, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (address.scheme, address.bucket.clone());
        let (objects, pages) = if let Some(known) = open.get(&key) {
            known.clone()
        } else {
            let pages = Arc::default();
            let made = (self.connect(address, &pages)?, pages);
            open.insert(key, made.clone());
            made
        };
        Ok(Bucket {
            objects,
            pages,
            address: address.clone(),
        })
    }

    fn connect(
        &self,
        address: &Address,
        pages: &Arc<Pages>,
    ) -> Result<Arc<dyn Objects>, StoreError> {
        let connector = Connector {
            pages: Arc::clone(pages),
        };
        let retry = RetryConfig {
            max_retries: self.settings.retries,
            retry_timeout: LONGEST_RETRIES,
            ..RetryConfig::default()
        };
        let name = &address.bucket;
        let made: object_store::Result<Arc<dyn Objects>> = match address.scheme {
            Scheme::S3 => AmazonS3Builder::from_env()
                .with_bucket_name(name)
                .with_retry(retry)
                .with_http_connector(connector)
                .build()
                .map(|store| Arc::new(store) as _),
            Scheme::Google => GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(name)
                .with_retry(retry)
                .with_http_connector(connector)
                .build()
                .map(|store| Arc::new(store) as _),
            Scheme::Azure => MicrosoftAzureBuilder::from_env()
                .with_container_name(name)
                .with_retry(retry)
                .with_http_connector(connector)
                .build()
                .map(|store| Arc::new(store) as _),
        };
        made.map_err(|error| StoreError::Settings {
            address: address.clone(),
            problem: error.to_string(),
        })
    }
}

//! A bucket in memory, and a model to put there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};
use tokio::runtime::Runtime;
use weightsmith_stores::{
    Address, Progress, Scheme, StoreError, StoreSettings, Stores, Survey, UploadFile,
    UploadOptions, Uploaded,
};

pub(crate) const LOCK: &str = "weightsmith.lock.json";
pub(crate) const CLAIM: &str = "weightsmith.upload.json";

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) memory: Arc<InMemory>,
    pub(crate) interrupt: AtomicBool,
    pub(crate) runtime: Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            memory: Arc::new(InMemory::new()),
            interrupt: AtomicBool::new(false),
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        }
    }

    /// Stores whose bucket `s3://bucket` is in memory, with small parts.
    pub(crate) fn stores(&self) -> Stores {
        let settings = StoreSettings {
            part: 1000,
            connections: 3,
            ..StoreSettings::new(self.folder.path().join("cache"))
        };
        let memory = Arc::clone(&self.memory);
        Stores::new(settings)
            .unwrap()
            .with_memory(Scheme::S3, "bucket", memory)
    }

    /// Writes an object behind everybody's back.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime
            .block_on(self.memory.put(&Path::from(name), payload))
            .unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = Path::from(name);
        self.runtime.block_on(async {
            let got = self.memory.get(&path).await.ok()?;
            Some(got.bytes().await.unwrap().to_vec())
        })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let listing = self
            .memory
            .list(None)
            .map_ok(|meta| meta.location.to_string());
        let mut names: Vec<String> = self.runtime.block_on(listing.try_collect()).unwrap();
        names.sort();
        names
    }

    /// A file of the model that is uploaded.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> UploadFile {
        let path = self.folder.path().join("model").join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, bytes).unwrap();
        UploadFile {
            name: name.to_owned(),
            path,
            size: bytes.len() as u64,
        }
    }

    /// A model of two files of weights, made from a number.
    pub(crate) fn model(&self, seed: u8) -> Vec<UploadFile> {
        let weights: Vec<u8> = (0..4321_u32).map(|at| at as u8 ^ seed).collect();
        vec![
            self.file("model-00001-of-00002.safetensors", &weights),
            self.file("model-00002-of-00002.safetensors", &weights[1000..]),
            self.file("config.json", &[seed]),
        ]
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.folder.path().join("upload.json")
    }

    pub(crate) fn survey(&self) -> Survey {
        self.stores().survey(&address(), LOCK).unwrap()
    }

    pub(crate) fn upload(&self, seed: u8, force: bool) -> Result<Uploaded, StoreError> {
        let survey = self.survey();
        self.upload_to(&survey, &self.model(seed), seed, force, &[], &Nothing)
    }

    pub(crate) fn upload_to(
        &self,
        survey: &Survey,
        files: &[UploadFile],
        seed: u8,
        force: bool,
        replaced: &[&str],
        progress: &dyn Progress,
    ) -> Result<Uploaded, StoreError> {
        let replaced: Vec<String> = replaced.iter().map(|&name| name.to_owned()).collect();
        let options = UploadOptions {
            lock: &self.file(LOCK, format!("lock {seed}").as_bytes()),
            replaced: &replaced,
            record: self.record(),
            force,
            interrupt: &self.interrupt,
        };
        self.stores().upload(survey, files, &options, progress)
    }
}

pub(crate) fn address() -> Address {
    "s3://bucket/models/out".parse().unwrap()
}

pub(crate) struct Nothing;

impl Progress for Nothing {}

/// Does something when that many bytes have gone.
pub(crate) struct After<F>(pub(crate) std::sync::atomic::AtomicU64, pub(crate) F);

impl<F: Fn() + Sync> Progress for After<F> {
    fn advance(&self, _file: usize, bytes: u64) {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.0.load(Relaxed);
        self.0.store(left.saturating_sub(bytes), Relaxed);
        if left > 0 && left <= bytes {
            // uploads run on a runtime, and what is done here wants one of its own
            std::thread::scope(|scope| scope.spawn(&self.1).join()).unwrap();
        }
    }
}

/// Does something when all files are there.
pub(crate) struct AtEnd<'a>(pub(crate) &'a (dyn Fn() + Sync));

impl Progress for AtEnd<'_> {
    fn end(&self) {
        (self.0)();
    }
}

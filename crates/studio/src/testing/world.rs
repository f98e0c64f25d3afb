//! A studio with models in a temporary folder, and a hub on loopback: for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;
use weightsmith::model::LocateOptions;
use weightsmith_hub::testing::TestHub;
use weightsmith_hub::{HubSettings, Token};
use weightsmith_infer::DecoderOptions;
use weightsmith_server::{EngineSettings, ModelRegistry, Pages, ServedModel};
use weightsmith_session::{Cancel, Note, Progress, StoreAccess, Work};

use super::Operation;
use crate::app::App;
use crate::progress::{RunProgress, lines};
use crate::{Studio, StudioSettings};

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) hub: TestHub,
    pub(crate) offline: bool,
    pub(crate) stores: StoreAccess,
    pub(crate) given: Vec<ServedModel>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{:?}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// The folder of the trained fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2")
}

impl World {
    pub(crate) fn new() -> Self {
        let hub = TestHub::start().unwrap();
        hub.add_token("secret", "me");
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            hub,
            offline: false,
            stores: StoreAccess::Refused,
            given: Vec::new(),
        };
        fs_err::create_dir_all(world.models()).unwrap();
        world
    }

    /// The folder that is looked into.
    pub(crate) fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.models().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        path
    }

    /// A copy of a fixture.
    pub(crate) fn copy(&self, fixture: &str, name: &str) -> PathBuf {
        let to = self.models().join(name);
        copy(&fixtures().join(fixture), &to);
        to
    }

    pub(crate) fn settings(&self) -> StudioSettings {
        let cache = self.folder.path().join("hub");
        let mut locate = LocateOptions::from_env(|_| None);
        locate.hub_cache.clone_from(&cache);
        StudioSettings {
            data: self.folder.path().join("data"),
            folders: vec![self.models()],
            locate,
            hub: HubSettings {
                token: Some(Token::new("secret")),
                offline: self.offline,
                connections: 2,
                attempts: 1,
                first_wait: Duration::from_millis(1),
                ..HubSettings::new(self.hub.url(), cache)
            },
            cache: self.folder.path().join("cache"),
            stores: self.stores.clone(),
            threads: 2,
            max_memory: 256 << 20,
            options: DecoderOptions::default(),
            context: Some(512),
            needs_key: false,
        }
    }

    pub(crate) fn open(&mut self) -> Opened {
        let given = std::mem::take(&mut self.given);
        let registry = ModelRegistry::new(given, EngineSettings::default(), None);
        let studio = Studio::open(self.settings(), registry).unwrap();
        Opened { studio }
    }
}

/// Copies a model's files.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for file in fs_err::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs_err::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

pub(crate) struct Opened {
    studio: Studio,
}

impl Opened {
    pub(crate) fn app(&self) -> &Arc<App> {
        self.studio.app()
    }

    pub(crate) fn studio(&self) -> &Studio {
        &self.studio
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let Pages {
            router, document, ..
        } = self.studio.pages();
        let answer = router.oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 26).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            bytes: bytes.to_vec(),
        };
        if let Some(operation) = Operation::at(&document, method, path) {
            let body = serde_json::from_slice(&answer.bytes).unwrap_or_default();
            operation.check(&Value::Null, answer.status, &body);
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).await
    }

    /// A successful answer.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.json()
    }
}

/// Remembers what a run tells.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) total: AtomicU64,
    pub(crate) done: AtomicU64,
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) cancel: Cancel,
}

impl Progress for Told {
    fn begin(&self, work: Work) {
        self.stage(work.name());
    }

    fn note(&self, note: &Note<'_>) {
        for line in lines(note) {
            self.log(&line);
        }
    }

    fn files(&self, files: &[(String, u64)]) {
        self.expect(files.iter().map(|(_, size)| size).sum(), 0);
        let names = files.iter().map(|(name, _)| name.clone());
        self.lines.lock().unwrap().extend(names);
    }

    fn expect(&self, total: u64, done: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    fn advance(&self, amount: u64) {
        self.done.fetch_add(amount, Ordering::Relaxed);
    }

    fn stage(&self, name: &str) {
        self.lines.lock().unwrap().push(format!("[{name}]"));
    }
}

impl RunProgress for Told {
    fn log(&self, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

//! The server: a thread for each connection.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::{Fault, FaultKind, Faults};
use super::request::Request;
use super::store::{Access, Commit, GitFile, Repository};
use super::{Content, routes};

/// A hub on loopback. It ends when the last handle is dropped or [`TestHub::stop`] is called.
#[derive(Debug, Clone)]
pub struct TestHub {
    shared: Arc<Shared>,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET` and so on.
    pub method: String,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// The value of `Range`.
    pub range: Option<String>,
    /// Whether it had a token.
    pub with_token: bool,
    /// The status of the answer.
    pub status: u16,
}

#[derive(Debug)]
struct Shared {
    port: u16,
    stopped: AtomicBool,
    requests: AtomicU64,
    spool: tempfile::TempDir,
    state: Mutex<State>,
}

/// What the hub knows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) repositories: BTreeMap<String, Repository>,
    /// Large files by SHA-256.
    pub(super) objects: BTreeMap<String, Content>,
    /// Parts of large files on their way up.
    pub(super) parts: BTreeMap<(String, usize), Content>,
    /// Tokens and whose they are.
    pub(super) tokens: BTreeMap<String, String>,
    /// Files on a page of a tree.
    pub(super) page: Option<usize>,
    /// The size of the parts in which large files are to come; without it they come whole.
    pub(super) part_size: Option<u64>,
    /// What signed addresses of large files must carry.
    pub(super) signature: u64,
    faults: Faults,
    seen: Vec<Seen>,
}

impl TestHub {
    /// Starts a hub on a free port.
    pub fn start() -> io::Result<Self> {
        Self::start_at(0)
    }

    /// Starts a hub on a port.
    pub fn start_at(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let shared = Arc::new(Shared {
            port: listener.local_addr()?.port(),
            stopped: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            spool: tempfile::tempdir()?,
            state: Mutex::new(State::default()),
        });
        let weak = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(shared) = weak.upgrade() else { return };
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    let hub = Self { shared };
                    std::thread::spawn(move || hub.serve(stream));
                }
            }
        });
        Ok(Self { shared })
    }

    /// Its address, for `HF_ENDPOINT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    /// Where large files lie: the same server under another name, as clients must not send their token there.
    pub(super) fn store_url(&self) -> String {
        format!("http://localhost:{}", self.shared.port)
    }

    /// Answers no further request; open connections are cut with their next one.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // wakes the thread that waits for connections
        let _ = TcpStream::connect(("127.0.0.1", self.shared.port));
    }

    /// Makes a token known.
    pub fn add_token(&self, token: &str, user: &str) {
        let mut state = self.state();
        state.tokens.insert(token.to_owned(), user.to_owned());
    }

    /// Adds a commit to `main` of a model, which is made where it is not there, and gives the commit's name.
    pub fn add_model(&self, name: &str, files: Vec<(&str, Content)>) -> io::Result<String> {
        self.add_commit(name, "main", files)
    }

    /// Adds a commit to a branch.
    pub fn add_commit(
        &self,
        name: &str,
        branch: &str,
        files: Vec<(&str, Content)>,
    ) -> io::Result<String> {
        let mut commit = Commit::default();
        for (path, content) in files {
            let file = GitFile::new(path, content)?;
            commit.files.insert(path.to_owned(), file);
        }
        let mut state = self.state();
        for file in commit.files.values() {
            if let Some(sha256) = &file.lfs {
                state.objects.insert(sha256.clone(), file.content.clone());
            }
        }
        let repository = state.repositories.entry(name.to_owned()).or_default();
        Ok(repository.add(branch, commit))
    }

    /// Says who may read a model.
    pub fn set_access(&self, name: &str, access: Access) {
        let mut state = self.state();
        state
            .repositories
            .entry(name.to_owned())
            .or_default()
            .access = access;
    }

    /// Splits trees into pages.
    pub fn set_page(&self, files: usize) {
        self.state().page = Some(files);
    }

    /// Takes large files in parts of this size.
    pub fn set_part_size(&self, bytes: u64) {
        self.state().part_size = Some(bytes);
    }

    /// Lets the addresses expire that were given out so far.
    pub fn expire_addresses(&self) {
        self.state().signature += 1;
    }

    /// Lets something go wrong.
    pub fn fault(&self, path: &str, kind: FaultKind, times: usize) {
        self.state().faults.add(Fault {
            path: path.to_owned(),
            kind,
            times,
        });
    }

    /// Takes all waiting faults back.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// The requests so far; forgets them.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().seen)
    }

    /// The files of a model at a revision.
    pub fn files(&self, name: &str, revision: &str) -> Option<BTreeMap<String, GitFile>> {
        let state = self.state();
        let (_, commit) = state.repositories.get(name)?.commit(revision)?;
        Some(commit.files.clone())
    }

    /// The messages of a model's commits that a revision ends in, newest last, and who may read it.
    pub fn summary(&self, name: &str, revision: &str) -> Option<(String, Access)> {
        let state = self.state();
        let repository = state.repositories.get(name)?;
        let (_, commit) = repository.commit(revision)?;
        Some((commit.summary.clone(), repository.access.clone()))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn body_fault(&self, path: &str, range: &Range<u64>) -> Option<FaultKind> {
        self.state().faults.body(path, range)
    }

    fn serve(&self, stream: TcpStream) {
        // an error is the end of the connection, as the client sees it too
        let _ = self.answer_all(stream);
    }

    fn answer_all(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        loop {
            let number = self.shared.requests.fetch_add(1, Ordering::SeqCst);
            let Some(request) = Request::read(&mut reader, self.shared.spool.path(), number)?
            else {
                return Ok(());
            };
            if self.shared.stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            let answer = routes::answer(self, &request);
            self.state().seen.push(Seen {
                method: request.method.clone(),
                path: request.path.clone(),
                range: request.header("range").map(ToOwned::to_owned),
                with_token: request.token().is_some(),
                status: answer.status(),
            });
            answer.send(&mut writer, &request.method, &request.path, self)?;
        }
    }

    pub(super) fn status_fault(&self, path: &str) -> Option<(u16, Option<u64>)> {
        self.state().faults.status(path)
    }

    pub(super) fn ignores_ranges(&self, path: &str) -> bool {
        self.state().faults.ignores_ranges(path)
    }
}

//! Sessions of browsers: a cookie that whoever knew the key was given, so that pages need not keep the key.
//!
//! A cookie says until when it counts and which one it is, and proves with a code made from the key who wrote it. So sessions outlive the
//! server, and end when the key changes. The server keeps those that were ended by a logout, in a file if it has one for them.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use weightsmith_tensors::read_regular_text;

use super::admission::App;
use super::caller::Caller;
use super::failure::ApiError;
use super::local_paths::without_folders;
use super::parameters::random;
use super::receive::receive;

const COOKIE: &str = "weightsmith_session";

/// How long a session lasts, in seconds: thirty days.
const LASTS: u64 = 30 * 24 * 60 * 60;

/// Bytes of a login at most.
const LARGEST: usize = 16 << 10;

/// Sessions that were ended and are remembered; beyond it those that would have ended first are forgotten.
const ENDED: usize = 10_000;

/// Bytes of the file of ended sessions at most: each takes 28 or a few more.
const LARGEST_FILE: u64 = 64 * ENDED as u64;

/// Sessions that were ended: until when each would have counted, and its number.
#[derive(Debug, Default)]
pub(super) struct Ended {
    known: Mutex<BTreeSet<(u64, u64)>>,
    /// Where they are kept for the next server.
    file: Option<PathBuf>,
}

/// Gives a cookie for the key.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let Some(key) = app.key else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.unwrap_or_default();
    let refuse_hasty = || match app.door.brake.wait(caller.address, Instant::now()) {
        Some(wait) => Err(ApiError::too_many_keys(wait)),
        None => Ok(()),
    };
    refuse_hasty()?;
    let body = receive::<Value>(request, Some(LARGEST)).await?;
    // others may have guessed while it came
    refuse_hasty()?;
    let given = body.value["key"].as_str().unwrap_or_default();
    if blake3::hash(given.as_bytes()) != key {
        app.door.brake.count(caller.address, Instant::now());
        return Err(ApiError::of(
            StatusCode::UNAUTHORIZED,
            "authentication_error",
            "invalid_api_key",
            "the API key is wrong",
        ));
    }
    Ok(with_cookie(&session(key, now() + LASTS, random()), LASTS))
}

/// Ends the session and takes the cookie away.
pub(super) async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some(one) = app.key.and_then(|key| open(&headers, key)) else {
        return with_cookie("", 0);
    };
    let ended = tokio::task::spawn_blocking(move || app.door.ended.end(one)).await;
    let mut response = with_cookie("", 0);
    if let Err(problem) = ended.map_err(io::Error::other).flatten() {
        let message = format!("the session is over, but counts again after a restart: {problem}");
        let error = ApiError::internal(without_folders(&message)).into_response();
        let cookie = response.headers_mut().remove(header::SET_COOKIE);
        response = error;
        response
            .headers_mut()
            .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    }
    response
}

/// Whether a request brings the cookie of a session that still counts.
pub(super) fn is_known(headers: &HeaderMap, key: blake3::Hash, ended: &Ended) -> bool {
    open(headers, key).is_some_and(|one| !ended.has(one))
}

/// A hash of the cookie, to tell sessions apart.
pub(super) fn hash(headers: &HeaderMap) -> Option<[u8; 32]> {
    cookie(headers).map(|cookie| *blake3::hash(cookie.as_bytes()).as_bytes())
}

impl Ended {
    /// Those that a file keeps, if there is one.
    pub(super) fn read(file: Option<&Path>) -> Self {
        let kept = file.map(|file| read_regular_text(file, LARGEST_FILE));
        // there is none before the first logout
        let kept = kept.and_then(Result::ok).unwrap_or_default();
        let now = now();
        let known = kept.lines().filter_map(|line| {
            let (until, number) = line.split_once(' ')?;
            Some((until.parse().ok()?, u64::from_str_radix(number, 16).ok()?))
        });
        Self {
            known: Mutex::new(known.filter(|&(until, _)| until > now).collect()),
            file: file.map(Path::to_owned),
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When that is known only until the server ends.
    fn end(&self, one: (u64, u64)) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(one);
        let now = now();
        while known.len() > ENDED || known.first().is_some_and(|&(until, _)| until <= now) {
            known.pop_first();
        }
        match &self.file {
            Some(file) => write(file, &known),
            None => Ok(()),
        }
    }

    fn has(&self, one: (u64, u64)) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&one)
    }
}

/// Replaces the file. Nobody can make a cookie of what it says.
fn write(file: &Path, ended: &BTreeSet<(u64, u64)>) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut options = fs_err::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let lines: Vec<String> = ended
        .iter()
        .map(|(until, number)| format!("{until} {number:016x}\n"))
        .collect();
    options.open(&new)?.write_all(lines.concat().as_bytes())?;
    fs_err::rename(new, file)
}

/// The end and the number of a session that was written here and is not over.
fn open(headers: &HeaderMap, key: blake3::Hash) -> Option<(u64, u64)> {
    let given = cookie(headers)?;
    let mut parts = given.split('.');
    let until: u64 = parts.next()?.parse().ok()?;
    let number = u64::from_str_radix(parts.next()?, 16).ok()?;
    // compared by hashes: how long that takes tells nothing
    let ours = blake3::hash(session(key, until, number).as_bytes());
    (until > now() && blake3::hash(given.as_bytes()) == ours).then_some((until, number))
}

fn session(key: blake3::Hash, until: u64, number: u64) -> String {
    let mut told = [0; 16];
    told[..8].copy_from_slice(&until.to_le_bytes());
    told[8..].copy_from_slice(&number.to_le_bytes());
    let code = blake3::keyed_hash(key.as_bytes(), &told);
    format!("{until}.{number:016x}.{}", code.to_hex())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter();
    all.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn with_cookie(value: &str, age: u64) -> Response {
    let text = format!("{COOKIE}={value}; Max-Age={age}; Path=/; HttpOnly; SameSite=Strict");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().expect("a header"));
        headers
    }

    fn counts(cookie: &str, key: blake3::Hash) -> bool {
        is_known(
            &with(&format!("theme=dark; {COOKIE}={cookie}")),
            key,
            &Ended::default(),
        )
    }

    #[test]
    fn a_session_counts_until_its_end_and_for_its_key_alone() {
        let (key, other) = (blake3::hash(b"a"), blake3::hash(b"b"));
        let fresh = session(key, now() + 60, 7);
        assert!(counts(&fresh, key));
        assert!(!counts(&fresh, other));
        assert!(!counts(&session(key, now() - 1, 7), key));
        let code = fresh.rsplit('.').next().expect("a part");
        assert!(!counts(
            &format!("{}.0000000000000007.{code}", now() + 600),
            key
        ));
        assert!(!counts(
            &format!("{}.0000000000000008.{code}", now() + 60),
            key
        ));
        assert!(!counts(&fresh.replace('.', ""), key));
        assert!(!is_known(&HeaderMap::new(), key, &Ended::default()));
    }

    #[test]
    fn a_session_that_was_ended_counts_no_more_and_others_do() {
        let (key, ended) = (blake3::hash(b"a"), Ended::default());
        let sessions = [1, 2].map(|number| {
            let one = session(key, now() + 60, number);
            with(&format!("{COOKIE}={one}"))
        });
        ended
            .end(open(&sessions[0], key).expect("it counts"))
            .unwrap();
        assert!(!is_known(&sessions[0], key, &ended));
        assert!(is_known(&sessions[1], key, &ended));
        for number in 0..ENDED as u64 + 5 {
            ended.end((now() + 100, number)).unwrap();
        }
        assert_eq!(ended.known.lock().unwrap().len(), ENDED);
    }

    #[test]
    fn the_next_server_knows_which_sessions_were_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ended-sessions");
        let first = Ended::read(Some(&file));
        let (one, over, other) = ((now() + 60, u64::MAX), (now() - 1, 2), (now() + 60, 3));
        first.end(one).unwrap();
        first.end(over).unwrap();
        let next = Ended::read(Some(&file));
        assert!(next.has(one) && !next.has(over) && !next.has(other));
        next.end(other).unwrap();
        fs_err::write(
            &file,
            fs_err::read_to_string(&file).unwrap() + "12 not a number\n17",
        )
        .unwrap();
        let last = Ended::read(Some(&file));
        assert!(last.has(one) && last.has(other));
        fs_err::create_dir(file.with_extension("new")).unwrap();
        assert!(last.end((now() + 60, 4)).is_err());
        assert!(last.has((now() + 60, 4)));
    }
}

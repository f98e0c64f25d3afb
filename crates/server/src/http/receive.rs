//! The body of a request, for all routes: JSON, read within limits of size, time and memory.

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use tokio::time::{Instant, timeout_at};

use super::caller::{Caller, Limits};
use super::shares::Spent;

/// What is read at once at least, where more may come.
const STEP: usize = 16 << 10;

/// Bytes beyond which JSON is read off the threads that serve connections.
const LARGE: usize = 256 << 10;

/// A body that was read, and what it takes of the memory of all bodies.
#[derive(Debug)]
pub struct Received<T> {
    /// What was in it.
    pub value: T,
    _spent: Spent,
}

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It is said to be something else than JSON.
    #[error("the content type is `{found}`; expected `application/json`")]
    ContentType {
        /// What it is said to be.
        found: String,
    },
    /// It is too large.
    #[error("the body has more than {most} bytes")]
    TooLarge {
        /// Bytes that are taken.
        most: usize,
    },
    /// Its values would take more memory than all bodies may.
    #[error(
        "the body's values need {needed} bytes of memory; the limit for all requests is {most}"
    )]
    TooMany {
        /// Bytes in memory.
        needed: u64,
        /// Bytes of all bodies.
        most: u64,
    },
    /// It did not come in time.
    #[error("the body did not arrive within {seconds} s")]
    TooSlow {
        /// Seconds that it had.
        seconds: u64,
    },
    /// Other requests take all memory, or too many are being sent.
    #[error("too many requests are being received")]
    Busy,
    /// The client broke off.
    #[error("the body ended early: {problem}")]
    Broken {
        /// How.
        problem: String,
    },
    /// It is no JSON.
    #[error("the body is not JSON: {problem}")]
    Syntax {
        /// What is wrong with it.
        problem: String,
    },
    /// It is JSON, but not what is expected.
    #[error("the body is not as expected: {problem}")]
    Data {
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads the body of a request as JSON, within the limits of the server that the request came to. `most` is a lower limit of the size.
///
/// # Errors
/// When it is not JSON of the expected form, or is beyond a limit.
pub async fn receive<T: DeserializeOwned + Send + 'static>(
    request: Request<Body>,
    most: Option<usize>,
) -> Result<Received<T>, BodyError> {
    let (mut parts, body) = request.into_parts();
    let caller = parts.extensions.remove::<Caller>().unwrap_or_default();
    check_kind(&parts.headers)?;
    let limits = &caller.limits;
    let most = most.unwrap_or(usize::MAX).min(limits.body_bytes);
    let length = length(&parts.headers);
    if length.is_some_and(|length| length > most as u64) {
        return Err(BodyError::TooLarge { most });
    }
    let (bytes, mut spent) = collect(body, length, most, &caller).await?;
    let whole = limits.memory.whole();
    let is_large = bytes.len() > LARGE;
    let read = move || {
        let needed = memory(&bytes);
        if needed > whole {
            return Err(BodyError::TooMany {
                needed,
                most: whole,
            });
        }
        if !spent.more(needed) {
            return Err(BodyError::Busy);
        }
        let value = parse(&bytes)?;
        Ok(Received {
            value,
            _spent: spent,
        })
    };
    if is_large {
        let read = tokio::task::spawn_blocking(read).await;
        return read.map_err(|error| BodyError::Broken {
            problem: error.to_string(),
        })?;
    }
    read()
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = error.to_string();
        match error.classify() {
            Category::Data => BodyError::Data { problem },
            _ => BodyError::Syntax { problem },
        }
    })
}

fn check_kind(headers: &HeaderMap) -> Result<(), BodyError> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(BodyError::ContentType {
        found: kind.to_owned(),
    })
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The bytes, and what they take.
async fn collect(
    body: Body,
    length: Option<u64>,
    most: usize,
    caller: &Caller,
) -> Result<(Vec<u8>, Spent), BodyError> {
    let limits = &caller.limits;
    let _share = limits.bodies.take(&caller.address).ok_or(BodyError::Busy)?;
    let _stranger = if caller.is_known {
        None
    } else {
        let share = limits.strangers.take(&caller.address);
        Some(share.ok_or(BodyError::Busy)?)
    };
    let _waiting = Waiting::new(caller);
    let deadline = Instant::now() + limits.patience;
    let mut spent = limits.memory.spend_nothing();
    let mut bytes = Vec::new();
    let mut data = body.into_data_stream();
    loop {
        let Ok(next) = timeout_at(deadline, data.next()).await else {
            let seconds = limits.patience.as_secs();
            return Err(BodyError::TooSlow { seconds });
        };
        let Some(next) = next else {
            return Ok((bytes, spent));
        };
        let chunk = next.map_err(|error| BodyError::Broken {
            problem: error.to_string(),
        })?;
        let sum = bytes.len() + chunk.len();
        if sum > most {
            return Err(BodyError::TooLarge { most });
        }
        grow(&mut bytes, sum, length, &mut spent)?;
        bytes.extend_from_slice(&chunk);
    }
}

/// Makes room for so many bytes: twice what there was, but no more than will come.
fn grow(
    bytes: &mut Vec<u8>,
    sum: usize,
    length: Option<u64>,
    spent: &mut Spent,
) -> Result<(), BodyError> {
    let before = bytes.capacity();
    if sum <= before {
        return Ok(());
    }
    let likely = length.map_or(usize::MAX, |length| length as usize);
    let wanted = sum.max((before * 2).max(STEP).min(likely));
    if !spent.more((wanted - before) as u64) {
        return Err(BodyError::Busy);
    }
    bytes.reserve_exact(wanted - bytes.len());
    Ok(())
}

/// Memory that JSON takes once it is read: its texts, and a value for each element. It is counted, not guessed from the size, since
/// three bytes of a list make a value of many.
fn memory(json: &[u8]) -> u64 {
    const VALUE: u64 = size_of::<Value>() as u64;
    // lists grow by doubling, and maps have an index beside their entries
    const ELEMENT: u64 = VALUE + VALUE / 2;
    const OBJECT: u64 = 4 * VALUE + 128;
    let mut sum = json.len() as u64;
    let mut in_text = false;
    let mut is_escaped = false;
    for &byte in json {
        if in_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b',' | b'[' => sum += ELEMENT,
            b'{' => sum += OBJECT,
            b':' => sum += VALUE,
            _ => {}
        }
    }
    sum
}

/// Tells the connection that its client is waited for.
struct Waiting<'a>(&'a Caller);

impl<'a> Waiting<'a> {
    fn new(caller: &'a Caller) -> Self {
        if let Some(seat) = &caller.seat {
            seat.set_waits(true);
        }
        Self(caller)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(seat) = &self.0.seat {
            seat.set_waits(false);
        }
    }
}

impl Limits {
    /// A caller's limits, for tests.
    #[cfg(test)]
    fn with(settings: &crate::Settings) -> Caller {
        Caller {
            is_known: true,
            ..Caller::new(
                std::sync::Arc::new(Self::new(settings)),
                &axum::http::Extensions::new(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Bytes;
    use futures_util::stream::unfold;

    use super::*;
    use crate::Settings;

    /// A request with chunks, each of which comes after a pause.
    fn request(
        caller: &Caller,
        chunks: usize,
        chunk: &'static [u8],
        pause: Duration,
    ) -> Request<Body> {
        let stream = unfold(0, move |sent| async move {
            if sent == chunks {
                return None;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            Some((Ok::<_, std::io::Error>(Bytes::from_static(chunk)), sent + 1))
        });
        Request::post("/")
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .extension(caller.clone())
            .body(Body::from_stream(stream))
            .unwrap()
    }

    async fn refused(request: Request<Body>) -> BodyError {
        receive::<Value>(request, None).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_body_that_trickles_is_given_up_when_its_time_is_over() {
        let settings = Settings {
            patience: Duration::from_millis(300),
            ..Settings::default()
        };
        let caller = Limits::with(&settings);
        let begun = Instant::now();
        let slow = request(&caller, 1000, b"[", Duration::from_millis(20));
        assert_eq!(refused(slow).await, BodyError::TooSlow { seconds: 0 });
        assert!(begun.elapsed() < Duration::from_secs(10));
        // one that is slow but in time is taken
        let fine = request(
            &Limits::with(&Settings::default()),
            3,
            b" 1 ",
            Duration::from_millis(20),
        );
        assert!(matches!(refused(fine).await, BodyError::Syntax { .. }));
    }

    #[tokio::test]
    async fn a_body_without_a_length_ends_at_the_limit() {
        let settings = Settings {
            body_bytes: 1000,
            ..Settings::default()
        };
        let caller = Limits::with(&settings);
        let endless = request(&caller, usize::MAX, &[b' '; 64], Duration::ZERO);
        assert_eq!(refused(endless).await, BodyError::TooLarge { most: 1000 });
    }

    #[tokio::test]
    async fn all_bodies_together_take_no_more_memory_than_they_may() {
        let settings = Settings {
            body_memory: 1 << 20,
            patience: Duration::from_millis(200),
            ..Settings::default()
        };
        let caller = Limits::with(&settings);
        let chunk = Bytes::from(vec![b' '; 100_000]);
        let held: Vec<_> = (0..20)
            .map(|_| {
                let chunk = chunk.clone();
                let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(chunk)]);
                let stream = begun.chain(futures_util::stream::pending());
                let request = Request::post("/")
                    .header(header::CONTENT_TYPE, "application/json")
                    .extension(caller.clone());
                let request = request.body(Body::from_stream(stream)).unwrap();
                tokio::spawn(receive::<Value>(request, None))
            })
            .collect();
        let mut found = Vec::new();
        for one in held {
            found.push(one.await.unwrap().unwrap_err());
        }
        let busy = found.iter().filter(|error| **error == BodyError::Busy);
        // ten of 100,000 bytes fit into a mebibyte
        assert_eq!(busy.count(), 10);
        // nothing of it is lost
        let after = request(&caller, 1, b"{\"a\": [1, 2]}", Duration::ZERO);
        assert_eq!(
            receive::<Value>(after, None).await.unwrap().value["a"][1],
            2
        );
    }

    #[tokio::test]
    async fn values_that_take_more_than_all_memory_are_refused_before_they_are_made() {
        let settings = Settings {
            body_memory: 1 << 20,
            ..Settings::default()
        };
        let caller = Limits::with(&settings);
        let many = request(&caller, 20_000, b"[],", Duration::ZERO);
        assert!(matches!(refused(many).await, BodyError::TooMany { .. }));
        // a text is no more than its bytes, whatever is in it
        let text = request(&caller, 1, b"\"[],[],[],[],{},{},\\\"[],\"", Duration::ZERO);
        assert!(receive::<Value>(text, None).await.is_ok());
        assert_eq!(memory(b"\"[,\\\"[,\""), 8);
    }

    #[tokio::test]
    async fn strangers_leave_room_for_those_who_are_known() {
        let settings = Settings {
            patience: Duration::from_millis(200),
            ..Settings::default()
        };
        let known = Limits::with(&settings);
        let stranger = Caller {
            is_known: false,
            ..known.clone()
        };
        let pause = Duration::from_hours(1);
        let held: Vec<_> = (0..100)
            .map(|_| tokio::spawn(receive::<Value>(request(&stranger, 1, b"1", pause), None)))
            .collect();
        let fine = request(&known, 1, b"1", Duration::ZERO);
        assert!(receive::<Value>(fine, None).await.is_ok());
        let mut busy = 0;
        for one in held {
            busy += usize::from(one.await.unwrap().unwrap_err() == BodyError::Busy);
        }
        assert_eq!(busy, 84);
    }
}

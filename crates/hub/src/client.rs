//! Requests: who asks, how often, and what an answer means.

use std::io::{self, Read};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Request, Response, header};
use ureq::{Agent, Body, SendBody};

use crate::settings::Token;
use crate::{HubError, HubSettings};

/// Longer waits than this are for people to decide about.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// The largest JSON answer: trees come by pages of a thousand files.
const LARGEST_JSON: u64 = 64 << 20;
/// How long nothing may come before a connection counts as dead.
const SILENCE: Duration = Duration::from_mins(2);
/// An attempt that finds nobody is repeated less often.
const ATTEMPTS_TO_CONNECT: u32 = 2;

/// An answer whose body has not been read.
pub(crate) type Answer = Response<Body>;

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload<'a> {
    None,
    /// Bytes with their type.
    Bytes(&'a [u8], &'static str),
    /// A number of bytes from something that can be opened again for another attempt.
    Stream(&'a dyn Open, u64),
}

/// Something that can be read from the start as often as needed.
pub(crate) trait Open: std::fmt::Debug + Sync {
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: &'a str,
    /// The value of `Range`.
    pub(crate) range: Option<(u64, u64)>,
    pub(crate) payload: Payload<'a>,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(url: &'a str) -> Self {
        Self {
            method: "GET",
            url,
            range: None,
            payload: Payload::None,
        }
    }

    pub(crate) fn head(url: &'a str) -> Self {
        Self {
            method: "HEAD",
            ..Self::get(url)
        }
    }

    pub(crate) fn post(url: &'a str, body: &'a [u8], kind: &'static str) -> Self {
        Self {
            method: "POST",
            payload: Payload::Bytes(body, kind),
            ..Self::get(url)
        }
    }
}

/// Speaks HTTP with one hub.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: String,
    token: Option<Token>,
    attempts: u32,
    first_wait: Duration,
}

impl Client {
    pub(crate) fn new(settings: &HubSettings) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // followed by hand: the token goes to the hub only
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("weightsmith/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .max_idle_connections(64)
            .max_idle_connections_per_host(32)
            .build();
        Self {
            agent: config.new_agent(),
            endpoint: settings.endpoint.clone(),
            token: settings.token.clone(),
            attempts: settings.attempts.max(1),
            first_wait: settings.first_wait,
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long to wait before an attempt after the first.
    pub(crate) fn wait(&self, attempt: u32) {
        std::thread::sleep(self.first_wait * 2_u32.pow(attempt.saturating_sub(1).min(6)));
    }

    /// Asks until there is an answer that says more than "try again". Redirects are answers.
    pub(crate) fn ask(&self, ask: Ask<'_>) -> Result<Answer, HubError> {
        let mut attempt = 1;
        loop {
            match self.once(ask) {
                Ok(answer) if !is_passing(answer.status().as_u16()) || attempt >= self.attempts => {
                    return Ok(answer);
                }
                Ok(answer) => match asked_to_wait(&answer) {
                    Some(wait) if wait > LONGEST_WAIT => {
                        return Err(HubError::RateLimited {
                            url: ask.url.to_owned(),
                            wait,
                        });
                    }
                    Some(wait) => std::thread::sleep(wait),
                    None => self.wait(attempt),
                },
                Err(error) if attempt >= self.attempts || !may_pass(&error, attempt) => {
                    return Err(unreachable(ask.url, &error));
                }
                Err(_) => self.wait(attempt),
            }
            attempt += 1;
        }
    }

    /// One attempt.
    fn once(&self, ask: Ask<'_>) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(ask.method).uri(ask.url);
        if let Some(token) = &self.token
            && self.is_hub(ask.url)
        {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.text()));
        }
        if let Some((start, end)) = ask.range {
            request = request.header(header::RANGE, format!("bytes={start}-{}", end - 1));
        }
        match ask.payload {
            Payload::None => self.agent.run(request.body(())?),
            Payload::Bytes(bytes, kind) => {
                if kind == LFS_JSON {
                    request = request.header(header::ACCEPT, kind);
                }
                let request = request.header(header::CONTENT_TYPE, kind);
                self.agent.run(request.body(bytes)?)
            }
            Payload::Stream(source, length) => {
                let mut reader = source.open()?;
                let request = request.header(header::CONTENT_LENGTH, length);
                self.agent
                    .run(request.body(SendBody::from_reader(&mut reader))?)
            }
        }
    }

    /// Whether an address is the hub's own, where the token belongs.
    pub(crate) fn is_hub(&self, url: &str) -> bool {
        url.strip_prefix(&self.endpoint)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// A JSON answer, with the address of the next page where there is one.
    pub(crate) fn json(
        &self,
        ask: Ask<'_>,
        subject: &Subject<'_>,
    ) -> Result<(Value, Option<String>), HubError> {
        let mut answer = self.ask(ask)?;
        if !answer.status().is_success() {
            return Err(self.refusal(answer, ask.url, subject));
        }
        let next = header_text(&answer, "link").and_then(next_page);
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(LARGEST_JSON)
            .read_to_vec()
            .map_err(|error| unreachable(ask.url, &error))?;
        let value = serde_json::from_slice(&bytes).map_err(|error| HubError::Answer {
            url: ask.url.to_owned(),
            problem: format!("not the JSON that was expected: {error}"),
        })?;
        Ok((value, next))
    }

    /// What an answer other than a success means.
    pub(crate) fn refusal(&self, mut answer: Answer, url: &str, subject: &Subject<'_>) -> HubError {
        let status = answer.status().as_u16();
        let code = header_text(&answer, "x-error-code")
            .unwrap_or_default()
            .to_owned();
        let message = header_text(&answer, "x-error-message").map(ToOwned::to_owned);
        let message = message.unwrap_or_else(|| body_message(&mut answer));
        let model = subject.model.to_owned();
        let page = format!("{}/{}", self.endpoint, subject.model);
        match (status, code.as_str()) {
            (401, "GatedRepo") => HubError::GatedNoToken { model, page },
            (403, "GatedRepo") => HubError::GatedNotAccepted { model, page },
            (_, "RevisionNotFound") => HubError::NoRevision {
                model,
                revision: subject.revision.to_owned(),
            },
            (_, "EntryNotFound") => HubError::NoFile {
                model,
                file: subject.file.to_owned(),
                revision: subject.revision.to_owned(),
            },
            (401, _) if message.contains("Invalid credentials") => HubError::BadToken {
                endpoint: self.endpoint.clone(),
            },
            (401 | 403, _) if !subject.action.is_empty() => HubError::Forbidden {
                action: subject.action.to_owned(),
                message,
                with_token: self.has_token(),
            },
            (401 | 404, "RepoNotFound") | (401, _) => HubError::NoModel {
                model,
                endpoint: self.endpoint.clone(),
                with_token: self.has_token(),
            },
            _ => HubError::Status {
                url: url.to_owned(),
                status,
                message,
            },
        }
    }
}

/// The type of requests to the LFS API.
pub(crate) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// What a request is about, for the words of an error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject<'a> {
    pub(crate) model: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) file: &'a str,
    /// What is done where something is written, such as ``create `me/model` ``.
    pub(crate) action: &'a str,
}

/// A header as text.
pub(crate) fn header_text<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// An error of the network.
pub(crate) fn unreachable(url: &str, error: &ureq::Error) -> HubError {
    HubError::Unreachable {
        url: without_query(url).to_owned(),
        problem: error.to_string(),
    }
}

/// An address without its signature.
pub(crate) fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Statuses that another attempt may not see.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Whether another attempt may go better.
fn may_pass(error: &ureq::Error, attempt: u32) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => attempt < ATTEMPTS_TO_CONNECT,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            attempt < ATTEMPTS_TO_CONNECT
        }
        ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => true,
        _ => false,
    }
}

/// What the hub says about when to ask again: `Retry-After`, else the `t` of its `RateLimit` header.
fn asked_to_wait(answer: &Answer) -> Option<Duration> {
    let seconds = header_text(answer, "retry-after")
        .and_then(|text| text.trim().parse().ok())
        .or_else(|| {
            let limit = header_text(answer, "ratelimit").filter(|_| answer.status() == 429)?;
            let time = limit
                .split(';')
                .find_map(|part| part.trim().strip_prefix("t="));
            time?.parse().ok()
        })?;
    Some(Duration::from_secs(seconds))
}

/// The next page in a `Link` header.
fn next_page(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (url, _) = next.trim().strip_prefix('<')?.split_once('>')?;
    Some(url.to_owned())
}

/// The hub's words in the body of a refusal.
fn body_message(answer: &mut Answer) -> String {
    const LONGEST: u64 = 64 << 10;
    let read = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
    let value: Value = read
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let text = value["error"]
        .as_str()
        .or_else(|| value["message"].as_str());
    text.unwrap_or_default().chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_from_a_link() {
        let link = "<https://h/a?cursor=x>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("https://h/a?cursor=x"));
        assert_eq!(next_page("<https://h/a>; rel=\"prev\""), None);
    }

    #[test]
    fn the_token_goes_to_the_hub_only() {
        let settings = HubSettings::from_env(
            |name| (name == "HF_ENDPOINT").then(|| "https://hub.example".into()),
            "/cache".into(),
            false,
        );
        let client = Client::new(&settings.unwrap());
        assert!(client.is_hub("https://hub.example/api/models/a/b"));
        for other in [
            "https://hub.example.evil.com/api",
            "https://cdn.example/x",
            "http://hub.example/api",
        ] {
            assert!(!client.is_hub(other), "{other}");
        }
    }
}

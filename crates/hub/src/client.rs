//! Requests: who asks, how often and for how long.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::{Request, Response, header};
use ureq::{Agent, AsSendBody, Body, SendBody, Timeout};

use crate::answer::header_text;
use crate::pace::Paced;
use crate::token::Token;
use crate::{HubError, HubSettings};

/// Longer waits than this, all for one request taken together, are for people to decide about.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// How long a name may be looked up, and how long a connection may take.
const LOOKUP: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(15);
/// How long one answer may come. What is missing of a file then is asked for again.
const ANSWER: Duration = Duration::from_mins(2);
/// How long the hub may think about what was sent to it, and how long an upload may stand still.
const AFTER_SENDING: Duration = Duration::from_mins(2);
/// A hub that keeps silent is asked once more, not five times.
const ATTEMPTS_IN_SILENCE: u32 = 2;
/// For how long a hub that nobody could connect to is not tried again: a recipe may have ten models.
const AWAY: Duration = Duration::from_secs(5);
/// Redirects within the hub.
const MOST_RENAMES: usize = 4;
/// Statuses, headers and their order are no more than this.
const LARGEST_HEADER: usize = 64 << 10;

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
    token_withheld: bool,
    attempts: u32,
    first_wait: Duration,
    download_patience: Duration,
    answer_patience: Duration,
    /// Whether anybody has answered: who is out of reach then may come back.
    reached: AtomicBool,
    /// When the hub was found to be out of reach, and why.
    away: Mutex<Option<(Instant, String)>>,
}

impl Client {
    pub(crate) fn new(settings: &HubSettings) -> Self {
        let program = concat!("weightsmith/", env!("CARGO_PKG_VERSION"));
        let user_agent = match &settings.origin {
            Some(origin) => format!("{program}; origin/{origin}"),
            None => program.to_owned(),
        };
        let patience = settings.answer_patience.max(settings.download_patience);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // followed by hand: the token goes to the hub only
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(LARGEST_HEADER)
            .user_agent(user_agent)
            .timeout_resolve(Some(LOOKUP))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_body(Some(ANSWER.max(patience)))
            .timeout_per_write(Some(AFTER_SENDING))
            .max_idle_connections(64)
            .max_idle_connections_per_host(32)
            .build();
        Self {
            agent: config.new_agent(),
            endpoint: settings.endpoint.clone(),
            token: settings.token.clone(),
            token_withheld: settings.token_withheld,
            attempts: settings.attempts.max(1),
            first_wait: settings.first_wait,
            download_patience: settings.download_patience,
            answer_patience: settings.answer_patience,
            reached: AtomicBool::new(false),
            away: Mutex::default(),
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn token_use(&self) -> TokenUse {
        match (&self.token, self.token_withheld) {
            (Some(_), _) => TokenUse::Sent,
            (None, true) => TokenUse::Withheld,
            (None, false) => TokenUse::None,
        }
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long nothing, or next to nothing, may come of a file.
    pub(crate) fn download_patience(&self) -> Duration {
        self.download_patience
    }

    /// The same for all other answers.
    pub(crate) fn answer_patience(&self) -> Duration {
        self.answer_patience
    }

    /// How long to wait before an attempt after the first.
    pub(crate) fn wait(&self, attempt: u32) {
        std::thread::sleep(self.first_wait * 2_u32.pow(attempt.saturating_sub(1).min(6)));
    }

    /// Asks until there is an answer that says more than "try again". Redirects are answers.
    pub(crate) fn ask(&self, ask: Ask<'_>) -> Result<Answer, HubError> {
        if self.endpoint.starts_with("https://") && !ask.url.starts_with("https://") {
            return Err(HubError::Answer {
                url: without_query(ask.url).to_owned(),
                problem: "an address without TLS from a hub with TLS".to_owned(),
            });
        }
        if let Some(problem) = self.known_to_be_away(ask.url) {
            return Err(out_of_reach(ask.url, problem));
        }
        let mut attempt = 1;
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.once(ask);
            if answer.is_ok() {
                self.reached.store(true, Ordering::Relaxed);
            }
            match answer {
                Ok(answer) if !is_passing(answer.status().as_u16()) || attempt >= self.attempts => {
                    return Ok(answer);
                }
                Ok(answer) => match asked_to_wait(&answer) {
                    Some(wait) if wait > LONGEST_WAIT.saturating_sub(waited) => {
                        return Err(HubError::RateLimited {
                            url: ask.url.to_owned(),
                            wait,
                        });
                    }
                    Some(wait) => {
                        std::thread::sleep(wait);
                        waited += wait;
                    }
                    None => self.wait(attempt),
                },
                Err(error) => {
                    let may_pass = attempt < self.attempts && may_pass(&error, attempt);
                    if let Some(problem) = no_connection(&error)
                        && !(may_pass && self.reached.load(Ordering::Relaxed))
                    {
                        self.note_away(ask.url, problem);
                        return Err(out_of_reach(ask.url, problem.to_owned()));
                    }
                    if !may_pass {
                        return Err(unreachable(ask.url, &error));
                    }
                    self.wait(attempt);
                }
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
        let mut patience = self.answer_patience;
        if let Some((start, end)) = ask.range {
            patience = self.download_patience;
            request = request.header(header::RANGE, format!("bytes={start}-{}", end - 1));
        }
        match ask.payload {
            Payload::None => self.send(request.body(())?, patience),
            Payload::Bytes(bytes, kind) => {
                if kind == LFS_JSON {
                    request = request.header(header::ACCEPT, kind);
                }
                let request = request.header(header::CONTENT_TYPE, kind);
                self.send(request.body(bytes)?, patience.max(AFTER_SENDING))
            }
            Payload::Stream(source, length) => {
                let mut reader = Paced::new(source.open()?, AFTER_SENDING);
                let request = request.header(header::CONTENT_LENGTH, length);
                let body = SendBody::from_reader(&mut reader);
                self.send(request.body(body)?, patience.max(AFTER_SENDING))
            }
        }
    }

    /// As [`Self::ask`], following redirects within the hub: models that have got another name. Gives the address that answered.
    pub(crate) fn ask_here(&self, ask: Ask<'_>) -> Result<(Answer, String), HubError> {
        let mut url = ask.url.to_owned();
        for _ in 0..MOST_RENAMES {
            let answer = self.ask(Ask { url: &url, ..ask })?;
            let is_redirect = answer.status().is_redirection() && ask.method == "GET";
            let target = header_text(&answer, "location")
                .filter(|_| is_redirect)
                .and_then(|location| redirected(&url, location))
                .filter(|target| self.is_hub(target));
            match target {
                Some(target) => url = target,
                None => return Ok((answer, url)),
            }
        }
        Err(HubError::Answer {
            url: ask.url.to_owned(),
            problem: format!("{MOST_RENAMES} redirects, giving up"),
        })
    }

    fn send<B: AsSendBody>(
        &self,
        request: Request<B>,
        patience: Duration,
    ) -> Result<Answer, ureq::Error> {
        let request = self
            .agent
            .configure_request(request)
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience));
        self.agent.run(request.build())
    }

    /// Whether an address is the hub's own, where the token belongs.
    pub(crate) fn is_hub(&self, url: &str) -> bool {
        url.strip_prefix(&self.endpoint)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    fn known_to_be_away(&self, url: &str) -> Option<String> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let (when, problem) = away.as_ref().filter(|_| self.is_hub(url))?;
        (when.elapsed() < AWAY).then(|| problem.clone())
    }

    fn note_away(&self, url: &str, problem: &str) {
        if self.is_hub(url) {
            let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
            *away = Some((Instant::now(), problem.to_owned()));
        }
    }
}

/// Whether a token goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// It does.
    Sent,
    /// There is none.
    None,
    /// `HF_HUB_DISABLE_IMPLICIT_TOKEN` says that it must not.
    Withheld,
}

/// The type of requests to the LFS API.
pub(crate) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// An error of the network.
pub(crate) fn unreachable(url: &str, error: &ureq::Error) -> HubError {
    HubError::Unreachable {
        url: without_query(url).to_owned(),
        problem: error.to_string(),
    }
}

fn out_of_reach(url: &str, problem: String) -> HubError {
    HubError::NoConnection {
        host: host(url).to_owned(),
        problem,
    }
}

/// An address without its signature.
pub(crate) fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Where a redirect leads; nothing where it must not be followed: from TLS to plain HTTP, or to what is no address.
pub(crate) fn redirected(from: &str, location: &str) -> Option<String> {
    let is_secure = from.starts_with("https://");
    if location.starts_with("https://") || (location.starts_with("http://") && !is_secure) {
        return Some(location.to_owned());
    }
    let start = from.find("://").map_or(0, |scheme| scheme + 3);
    let root = from[start..]
        .find('/')
        .map_or(from, |slash| &from[..start + slash]);
    let is_path = location.starts_with('/') && !location.starts_with("//");
    is_path.then(|| format!("{root}{location}"))
}

/// The host of an address, with its port where it has one.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

/// Statuses that another attempt may not see.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Why nobody was reached at all, in a few words: another attempt right afterwards finds nobody either.
fn no_connection(error: &ureq::Error) -> Option<&'static str> {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable};
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => Some(NO_NAME),
        ureq::Error::ConnectionFailed => Some("no connection"),
        ureq::Error::Timeout(Timeout::Connect) => Some("no answer"),
        ureq::Error::Io(error) => match error.kind() {
            ConnectionRefused => Some("connection refused"),
            NetworkUnreachable | NetworkDown | HostUnreachable => Some("no network"),
            // the standard library has no kind for it
            _ if error.to_string().contains("failed to lookup address") => Some(NO_NAME),
            _ => None,
        },
        _ => None,
    }
}

const NO_NAME: &str = "cannot resolve the host name";

/// Whether another attempt may go better.
fn may_pass(error: &ureq::Error, attempt: u32) -> bool {
    match error {
        ureq::Error::Timeout(_) => attempt < ATTEMPTS_IN_SILENCE,
        ureq::Error::Io(_)
        | ureq::Error::Protocol(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed => true,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_the_hub_only() {
        let client = Client::new(&HubSettings::new("https://hub.example", "/cache".into()));
        assert!(client.is_hub("https://hub.example/api/models/a/b"));
        for other in [
            "https://hub.example.evil.com/api",
            "https://hub.example@evil.com/api",
            "https://cdn.example/x",
            "http://hub.example/api",
        ] {
            assert!(!client.is_hub(other), "{other}");
        }
    }

    #[test]
    fn a_hub_with_tls_sends_nobody_elsewhere_without() {
        let client = Client::new(&HubSettings::new("https://hub.example", "/cache".into()));
        for url in [
            "http://store.example/put?signature",
            "file:///etc/passwd",
            "",
        ] {
            let error = client.ask(Ask::get(url)).unwrap_err().to_string();
            assert!(
                error.contains("without TLS") && !error.contains("signature"),
                "{error}"
            );
        }
    }

    #[test]
    fn redirects_lead_to_addresses_and_never_out_of_tls() {
        let from = "https://hub.example/a/b";
        assert_eq!(
            redirected(from, "/c?d").as_deref(),
            Some("https://hub.example/c?d")
        );
        assert_eq!(
            redirected(from, "https://x/y").as_deref(),
            Some("https://x/y")
        );
        assert_eq!(
            redirected("http://h", "http://x/y").as_deref(),
            Some("http://x/y")
        );
        for location in ["http://x/y", "//x/y", "file:///etc/passwd", "c", ""] {
            assert_eq!(redirected(from, location), None, "{location}");
        }
    }

    #[test]
    fn a_host_is_what_people_know_a_hub_by() {
        assert_eq!(
            host("https://huggingface.co/api/models?x=/"),
            "huggingface.co"
        );
        assert_eq!(host("http://me:secret@127.0.0.1:9/x"), "127.0.0.1:9");
        assert_eq!(host("https://hub"), "hub");
    }

    #[test]
    fn a_name_that_cannot_be_looked_up_is_asked_for_once() {
        let mut settings = HubSettings::new("http://no.such.host.invalid", "/cache".into());
        settings.first_wait = Duration::from_mins(1);
        let client = Client::new(&settings);
        let error = client
            .ask(Ask::get("http://no.such.host.invalid/api"))
            .unwrap_err();
        assert!(matches!(&error, HubError::NoConnection { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with("can't reach no.such.host.invalid: "),
            "{text}"
        );
    }

    #[test]
    fn nobody_there_is_found_out_at_once_and_remembered_for_the_next_model() {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let endpoint = format!("http://127.0.0.1:{port}");
        let mut settings = HubSettings::new(&endpoint, "/cache".into());
        settings.first_wait = Duration::from_mins(1);
        let client = Client::new(&settings);
        let url = format!("{endpoint}/api");
        for _ in 0..2 {
            let error = client.ask(Ask::get(&url)).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("can't reach 127.0.0.1:{port}: connection refused")
            );
        }
        assert!(client.known_to_be_away(&url).is_some());
        assert!(client.known_to_be_away("http://elsewhere/x").is_none());
    }
}

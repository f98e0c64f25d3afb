//! HTTP for `object_store`, by the same client as for the Hub: one TLS, one set of certificates, one way of finding proxies.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};
use ureq::http::request::Parts;
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, AsSendBody, Body};

use crate::body::{PATIENCE, limit, read};
use crate::pages::{Pages, is_listing};

/// How long a store may think about what was sent to it.
const AFTER_SENDING: Duration = Duration::from_mins(1);
/// How long one answer may come, however steadily.
const LONGEST_ANSWER: Duration = Duration::from_mins(30);
/// The services that give machines in a cloud their credentials. Elsewhere nobody answers there.
const METADATA: [&str; 3] = [
    "169.254.169.254",
    "169.254.170.2",
    "metadata.google.internal",
];

/// Makes clients.
#[derive(Debug)]
pub(crate) struct Connector {
    /// Counts the pages of listings.
    pub(crate) pages: Arc<Pages>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("weightsmith/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(Duration::from_secs(10)))
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(AFTER_SENDING))
            .timeout_recv_body(Some(LONGEST_ANSWER))
            .timeout_per_read(Some(PATIENCE))
            .timeout_per_write(Some(AFTER_SENDING))
            .max_idle_connections(64)
            .max_idle_connections_per_host(32)
            .build();
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        Ok(HttpClient::new(Service {
            agent: config.new_agent(),
            allow_http: allow_http.as_deref() == Some("true"),
            pages: Arc::clone(&self.pages),
        }))
    }
}

#[derive(Debug, Clone)]
struct Service {
    agent: Agent,
    allow_http: bool,
    pages: Arc<Pages>,
}

/// Plain HTTP was asked for and not allowed.
#[derive(Debug, thiserror::Error)]
#[error("plain HTTP to `{0}` is not allowed")]
struct PlainHttp(String);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.uri().scheme_str() != Some("https") && !self.allow_http {
            let host = request.uri().host().unwrap_or_default().to_owned();
            return Err(HttpError::new(HttpErrorKind::Unknown, PlainHttp(host)));
        }
        let service = self.clone();
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let asking = move || service.ask(parts, &body);
        let answer = tokio::task::spawn_blocking(asking).await;
        answer.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?
    }
}

impl Service {
    /// Asks and reads the whole answer.
    fn ask(&self, parts: Parts, body: &[u8]) -> Result<HttpResponse, HttpError> {
        let (limit, is_local) = (limit(&parts), is_metadata(&parts.uri));
        let is_page = is_listing(parts.uri.query());
        let answer = if matches!(parts.method, Method::POST | Method::PUT) {
            self.send(Request::from_parts(parts, body), is_local)
        } else {
            self.send(Request::from_parts(parts, ()), is_local)
        };
        let (parts, body) = answer.map_err(|error| network(&error))?.into_parts();
        let bytes = read(body.into_reader(), limit, PATIENCE).map_err(broken)?;
        if is_page {
            let added = self.pages.add(bytes.len());
            added.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        }
        Ok(Response::from_parts(parts, bytes.into()))
    }

    fn send<B: AsSendBody>(
        &self,
        request: Request<B>,
        is_local: bool,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut request = self.agent.configure_request(request);
        if is_local {
            request = request
                .proxy(None)
                .timeout_connect(Some(Duration::from_secs(1)));
        }
        self.agent.run(request.build())
    }
}

fn is_metadata(address: &Uri) -> bool {
    address.host().is_some_and(|host| METADATA.contains(&host))
}

/// Why a body could not be read. What is too long is not asked for again.
fn broken(error: io::Error) -> HttpError {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
        io::ErrorKind::Other
            if error
                .get_ref()
                .is_none_or(|inner| !inner.is::<ureq::Error>()) =>
        {
            HttpErrorKind::Unknown
        }
        _ => HttpErrorKind::Interrupted,
    };
    HttpError::new(kind, error)
}

/// What went wrong, so that `object_store` knows whether another attempt may go better.
fn network(error: &ureq::Error) -> HttpError {
    let kind = match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(ureq::Timeout::Connect) => HttpErrorKind::Connect,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            HttpErrorKind::Connect
        }
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(_) | ureq::Error::Protocol(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, std::io::Error::other(error.to_string()))
}

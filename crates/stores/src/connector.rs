//! HTTP for `object_store`, by the same client as for the Hub: one TLS, one set of certificates, one way of finding proxies.

use std::io::Read as _;
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

/// The largest answer: blocks and parts have a few MiB, pages of listings less.
const LARGEST_ANSWER: u64 = 256 << 20;
/// How long nothing may come before a connection counts as dead.
const SILENCE: Duration = Duration::from_mins(1);
/// The services that give machines in a cloud their credentials. Elsewhere nobody answers there.
const METADATA: [&str; 3] = [
    "169.254.169.254",
    "169.254.170.2",
    "metadata.google.internal",
];

/// Makes clients.
#[derive(Debug)]
pub(crate) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
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
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        Ok(HttpClient::new(Service {
            agent: config.new_agent(),
            allow_http: allow_http.as_deref() == Some("true"),
        }))
    }
}

#[derive(Debug, Clone)]
struct Service {
    agent: Agent,
    allow_http: bool,
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
        let answer = if matches!(parts.method, Method::POST | Method::PUT) {
            let is_local = is_metadata(&parts.uri);
            self.send(Request::from_parts(parts, body), is_local)
        } else {
            let is_local = is_metadata(&parts.uri);
            self.send(Request::from_parts(parts, ()), is_local)
        };
        let (parts, body) = answer.map_err(|error| network(&error))?.into_parts();
        let expected = body.content_length().unwrap_or(0).min(LARGEST_ANSWER);
        let mut bytes = Vec::with_capacity(expected as usize);
        let mut reader = body.into_with_config().limit(LARGEST_ANSWER).reader();
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
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

//! Listening: connections, and an end that lets what runs finish.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::descriptors;
use crate::http::Connection;
use crate::patient::Patient;
use crate::places::{Busy, Place, Places, Seat};
use crate::{ModelRegistry, Pages, ServedModel, ServerError, Settings, router, router_with};

/// Size of the head of a request at most.
const HEAD_BYTES: usize = 64 << 10;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    registry: Arc<ModelRegistry>,
    settings: Settings,
    pages: Option<Pages>,
    signals: Option<Signals>,
}

impl Server {
    /// Checks the settings and begins to listen; connections wait until [`Self::run`].
    ///
    /// # Errors
    /// When a setting makes no sense, names occur twice, or the address cannot be listened on.
    pub fn bind(models: Vec<ServedModel>, mut settings: Settings) -> Result<Self, ServerError> {
        settings.check()?;
        settings
            .connections
            .get_or_insert_with(descriptors::connections);
        for (index, model) in models.iter().enumerate() {
            if models[..index].iter().any(|other| other.name == model.name) {
                let name = model.name.clone();
                return Err(ServerError::SameName { name });
            }
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("http")
            .enable_all()
            .build()?;
        let address = settings.address;
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|source| ServerError::Bind { address, source })?;
        let address = listener.local_addr()?;
        let registry = ModelRegistry::new(models, settings.engine, settings.memory_budget);
        Ok(Self {
            runtime,
            listener,
            address,
            registry,
            settings,
            pages: None,
            signals: None,
        })
    }

    /// Handles signals that ask the process to end from now on, not only from [`Self::run`] on.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub fn catch_signals(&mut self) -> Result<(), ServerError> {
        let _inside = self.runtime.enter();
        self.signals = Some(Signals::new()?);
        Ok(())
    }

    /// With pages beside the protocol.
    #[must_use]
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.pages = Some(pages);
        self
    }

    /// The runtime that requests are answered on.
    pub fn runtime(&self) -> &tokio::runtime::Handle {
        self.runtime.handle()
    }

    /// Where it listens: the port is the system's choice where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its models.
    pub fn registry(&self) -> &Arc<ModelRegistry> {
        &self.registry
    }

    /// Serves until the process is asked to end (an interrupt or a termination signal) and what runs is done or the grace
    /// period is over; `closing` is told when the signal comes. A second signal ends the grace period.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub fn run(mut self, closing: impl FnOnce()) -> Result<(), ServerError> {
        if self.signals.is_none() {
            self.catch_signals()?;
        }
        let Some(mut signals) = self.signals.take() else {
            return Ok(());
        };
        self.run_until(async move || signals.next().await, closing);
        Ok(())
    }

    /// As [`Self::run`], with something else than signals: `asked` is waited for once, and once more for the end of the grace period.
    pub fn run_until(self, mut asked: impl AsyncFnMut(), closing: impl FnOnce()) {
        let Self {
            runtime,
            listener,
            registry,
            settings,
            pages,
            ..
        } = self;
        let grace = settings.grace;
        let places = Places::new(settings.connections.unwrap_or(1024));
        let patience = settings.patience;
        let service = match pages {
            Some(pages) => router_with(settings, Arc::clone(&registry), pages),
            None => router(settings, Arc::clone(&registry)),
        };
        let entrance = Entrance {
            service: TowerToHyperService::new(service),
            connections: GracefulShutdown::new(),
            places,
            patience,
        };
        runtime.block_on(async {
            entrance.accept(&listener, asked()).await;
            closing();
            drop(listener);
            tokio::select! {
                () = entrance.connections.shutdown() => {}
                () = sleep(grace) => {}
                () = asked() => {}
            }
        });
        // engines end, and with them the streams that still run
        registry.unload_all();
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// Lets connections in.
struct Entrance {
    service: TowerToHyperService<Router>,
    connections: GracefulShutdown,
    places: Arc<Places>,
    patience: Duration,
}

impl Entrance {
    /// Accepts connections until something happens.
    async fn accept(&self, listener: &TcpListener, until: impl Future<Output = ()>) {
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                accepted = listener.accept() => self.let_in(accepted).await,
            }
        }
    }

    async fn let_in(&self, accepted: std::io::Result<(TcpStream, SocketAddr)>) {
        let Ok((stream, address)) = accepted else {
            // no descriptors left, or the client is gone already
            self.places.make_room();
            return sleep(Duration::from_millis(10)).await;
        };
        // where everybody works it is closed, and the client may try again
        if let Some(place) = self.places.take(address.ip()) {
            self.serve(stream, place);
        }
    }

    /// Serves a connection on a task of its own.
    fn serve(&self, stream: TcpStream, place: Place) {
        // tokens are small and should not wait for each other
        let _ = stream.set_nodelay(true);
        let seat = Arc::clone(place.seat());
        let service = self.service.clone();
        let answer = {
            let seat = Arc::clone(&seat);
            service_fn(move |request| answer(service.clone(), Arc::clone(&seat), request))
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(
                TokioIo::new(Patient::new(stream, Arc::clone(&seat))),
                answer,
            );
        let connection = self.connections.watch(connection);
        let task = tokio::spawn(async move {
            // that a client breaks off is no error of the server
            let _ = connection.await;
            drop(place);
        });
        seat.set_task(task.abort_handle());
    }
}

/// Answers a request; while that goes on the connection keeps its place.
async fn answer(
    service: TowerToHyperService<Router>,
    seat: Arc<Seat>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let Some(busy) = seat.begin() else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    request.extensions_mut().insert(Connection(seat));
    let response = service.call(request).await?;
    Ok(response.map(|body| Body::new(Kept { body, _busy: busy })))
}

/// The body of an answer, with the place of its connection.
struct Kept {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Signals that ask the process to end.
#[derive(Debug)]
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as on other systems")]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

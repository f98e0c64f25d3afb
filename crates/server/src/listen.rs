//! Listening: connections, and an end that lets what runs finish.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use crate::patient::Patient;
use crate::{ModelRegistry, Pages, ServedModel, ServerError, Settings, router, router_with};

/// Connections at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 1024;

/// How long a client may take for the head of a request, and a connection may be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

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
}

impl Server {
    /// Checks the settings and begins to listen; connections wait until [`Self::run`].
    ///
    /// # Errors
    /// When a setting makes no sense, names occur twice, or the address cannot be listened on.
    pub fn bind(models: Vec<ServedModel>, settings: Settings) -> Result<Self, ServerError> {
        settings.check()?;
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
        })
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
    pub fn run(self, closing: impl FnOnce()) -> Result<(), ServerError> {
        let Self {
            runtime,
            listener,
            registry,
            settings,
            pages,
            ..
        } = self;
        let grace = settings.grace;
        let service = match pages {
            Some(pages) => router_with(settings, Arc::clone(&registry), pages),
            None => router(settings, Arc::clone(&registry)),
        };
        runtime.block_on(async {
            let mut signals = Signals::new()?;
            let connections = GracefulShutdown::new();
            accept(&listener, &service, &connections, signals.next()).await;
            closing();
            drop(listener);
            tokio::select! {
                () = connections.shutdown() => {}
                () = sleep(grace) => {}
                () = signals.next() => {}
            }
            Ok::<(), ServerError>(())
        })?;
        // engines end, and with them the streams that still run
        registry.unload_all();
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// Accepts connections until something happens.
async fn accept(
    listener: &TcpListener,
    service: &Router,
    connections: &GracefulShutdown,
    until: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    tokio::pin!(until);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut until => return,
            (accepted, place) = next => match (accepted, place) {
                (Ok((stream, _)), Ok(place)) => serve(stream, service, connections, place),
                // no descriptors left, or the client is gone already
                _ => sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

/// Serves a connection on a task of its own.
fn serve(
    stream: TcpStream,
    service: &Router,
    connections: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    // tokens are small and should not wait for each other
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(
            TokioIo::new(Patient::new(stream)),
            TowerToHyperService::new(service.clone()),
        );
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // that a client breaks off is no error of the server
        let _ = connection.await;
        drop(place);
    });
}

/// Signals that ask the process to end.
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

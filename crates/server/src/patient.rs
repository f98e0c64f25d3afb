//! A connection that is given up when its client reads nothing for a while.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::places::Seat;

/// How long a client may take to read what is sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection with a limit on how long a write may wait.
#[derive(Debug)]
pub(crate) struct Patient {
    stream: TcpStream,
    patience: Duration,
    /// Runs while a write waits.
    clock: Option<Pin<Box<Sleep>>>,
    /// Is told when bytes move and when a write waits.
    seat: Arc<Seat>,
}

impl Patient {
    /// A connection with the usual limit.
    pub(crate) fn new(stream: TcpStream, seat: Arc<Seat>) -> Self {
        Self {
            stream,
            patience: PATIENCE,
            clock: None,
            seat,
        }
    }

    /// What a write gave; an error where it has waited too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        write: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            if self.clock.take().is_some() {
                self.seat.set_waits(false);
            }
            return write;
        }
        let patience = self.patience;
        let clock = self.clock.get_or_insert_with(|| {
            self.seat.set_waits(true);
            Box::pin(sleep(patience))
        });
        ready!(clock.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.seat.touch();
        }
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A connection with a client.
    async fn pair() -> (Patient, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, client) = (listener.accept(), client);
        let client = client.await.unwrap();
        let (stream, address) = accepted.await.unwrap();
        let place = crate::places::Places::new(1).take(address.ip()).unwrap();
        let patient = Patient {
            patience: Duration::from_millis(100),
            ..Patient::new(stream, Arc::clone(place.seat()))
        };
        (patient, client)
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_given_up() {
        let (mut patient, client) = pair().await;
        let error = patient.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[tokio::test]
    async fn a_slow_one_is_not() {
        let (mut patient, mut client) = pair().await;
        let reading = tokio::spawn(async move {
            let mut sum = 0;
            let mut buffer = vec![0; 4 << 20];
            while sum < 32 << 20 {
                sleep(Duration::from_millis(20)).await;
                sum += client.read(&mut buffer).await.unwrap();
            }
        });
        patient.write_all(&vec![0; 32 << 20]).await.unwrap();
        reading.await.unwrap();
    }
}

//! Bytes that must come, or go, at a minimum rate.
//!
//! A limit for silence alone is none: one byte a minute breaks it never.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Bytes a second that count as a connection that works.
const LEAST: u64 = 1 << 10;

/// A reader that fails when too little came in a window of time.
#[derive(Debug)]
pub(crate) struct Paced<R> {
    inner: R,
    window: Duration,
    began: Instant,
    came: u64,
}

/// Fewer bytes than a connection that works would bring.
#[derive(Debug)]
pub(crate) struct TooSlow {
    came: u64,
    took: Duration,
}

impl fmt::Display for TooSlow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        write!(
            formatter,
            "too slow: {} bytes in {seconds:.1} seconds",
            self.came
        )
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    /// Whether an error is that too little came.
    pub(crate) fn is(error: &io::Error) -> bool {
        matches!(error.get_ref(), Some(inner) if inner.is::<Self>())
    }
}

impl<R> Paced<R> {
    pub(crate) fn new(inner: R, window: Duration) -> Self {
        Self {
            inner,
            window,
            began: Instant::now(),
            came: 0,
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.came += count as u64;
        let took = self.began.elapsed();
        if count > 0 && took >= self.window {
            let came = self.came;
            if u128::from(came) * 1000 < u128::from(LEAST) * took.as_millis() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    TooSlow { came, took },
                ));
            }
            self.began = Instant::now();
            self.came = 0;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives pieces, each after a wait.
    struct Drops(Vec<(Duration, usize)>);

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((wait, bytes)) = self.0.pop() else {
                return Ok(0);
            };
            std::thread::sleep(wait);
            Ok(bytes.min(buffer.len()))
        }
    }

    fn read(drops: Vec<(Duration, usize)>) -> io::Result<usize> {
        let mut paced = Paced::new(Drops(drops), Duration::from_secs(1));
        let mut buffer = [0; 8192];
        let mut all = 0;
        loop {
            match paced.read(&mut buffer)? {
                0 => return Ok(all),
                count => all += count,
            }
        }
    }

    #[test]
    fn a_trickle_is_an_error_and_a_slow_line_is_none() {
        let wait = Duration::from_millis(300);
        let error = read(vec![(wait, 1); 5]).unwrap_err();
        assert!(TooSlow::is(&error), "{error}");
        assert!(
            error.to_string().starts_with("too slow: 4 bytes in 1."),
            "{error}"
        );
        assert_eq!(read(vec![(wait, 4096); 5]).unwrap(), 5 * 4096);
        assert_eq!(read(vec![(Duration::ZERO, 1); 5]).unwrap(), 5);
    }
}

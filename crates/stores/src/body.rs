//! Bodies of answers: no longer than what was asked for, and at a minimum rate.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::http::header::RANGE;
use ureq::http::request::Parts;

/// The largest page of a listing, or other answer that is not a range of an object.
const LARGEST_OTHER: u64 = 16 << 20;
/// What an answer may have beside the range: a store that refuses says why.
const REASON: u64 = 64 << 10;
/// How long nothing, or next to nothing, may come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes a second that count as a connection that works.
const LEAST: u64 = 1 << 10;

/// The most that the answer to a request can have.
pub(crate) fn limit(request: &Parts) -> u64 {
    let range = request.headers.get(RANGE).and_then(|range| {
        let (start, end) = range
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let (start, end) = (start.parse::<u64>().ok()?, end.parse::<u64>().ok()?);
        end.checked_sub(start)?.checked_add(1)
    });
    range.map_or(LARGEST_OTHER, |length| length.max(REASON))
}

/// Reads a body whole.
///
/// # Errors
/// When it is longer than the limit, ends too early, or comes too slowly.
pub(crate) fn read(mut body: impl Read, limit: u64, window: Duration) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    let (mut began, mut before) = (Instant::now(), 0);
    loop {
        let count = body.read(&mut piece)?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&piece[..count]);
        if bytes.len() as u64 > limit {
            let problem = format!("the response has more than {limit} bytes");
            return Err(io::Error::other(problem));
        }
        let took = began.elapsed();
        if took >= window {
            let came = (bytes.len() - before) as u64;
            if u128::from(came) * 1000 < u128::from(LEAST) * took.as_millis() {
                let seconds = took.as_secs_f64();
                let problem = format!("too slow: {came} bytes in {seconds:.1} seconds");
                return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
            }
            (began, before) = (Instant::now(), bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::Request;

    use super::*;

    #[test]
    fn an_answer_may_have_what_was_asked_for() {
        let limit = |range: &str| {
            let (parts, ()) = Request::get("http://h/")
                .header(RANGE, range)
                .body(())
                .unwrap()
                .into_parts();
            limit(&parts)
        };
        assert_eq!(limit("bytes=0-8388607"), 8 << 20);
        assert_eq!(limit("bytes=5-5"), REASON);
        for other in ["bytes=0-", "bytes=9-3", "x", "bytes=0-18446744073709551615"] {
            assert_eq!(limit(other), LARGEST_OTHER, "{other}");
        }
    }

    #[test]
    fn a_body_without_end_is_an_error() {
        let error = read(io::repeat(7), 100_000, PATIENCE).unwrap_err();
        assert!(
            error.to_string().contains("more than 100000 bytes"),
            "{error}"
        );
        assert_eq!(read(&[1, 2][..], 2, PATIENCE).unwrap(), [1, 2]);
    }

    #[test]
    fn a_trickle_is_an_error() {
        struct Drops;
        impl Read for Drops {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                std::thread::sleep(Duration::from_millis(20));
                buffer[0] = 0;
                Ok(1)
            }
        }
        let error = read(Drops, 100, Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    }
}

//! A server on loopback that answers whatever it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A part of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Bytes(Vec<u8>),
    Wait(Duration),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// The first and the last byte.
    pub(crate) range: Option<(u64, u64)>,
}

/// Starts a server; gives its address. `answer` gets its address and the request. It answers one request in a connection.
pub(crate) fn start(
    answer: impl Fn(&str, &Request) -> Vec<Part> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (answer, own) = (Arc::new(answer), address.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let (answer, own) = (Arc::clone(&answer), own.clone());
            std::thread::spawn(move || serve(stream, &*answer, &own));
        }
    });
    address
}

fn serve(stream: TcpStream, answer: &dyn Fn(&str, &Request) -> Vec<Part>, own: &str) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut request = Request {
        path: first.split(' ').nth(1)?.to_owned(),
        range: None,
    };
    loop {
        let line = lines.next()?.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            let (start, end) = range.split_once('-')?;
            request.range = Some((start.parse().ok()?, end.parse().ok()?));
        }
    }
    for part in answer(own, &request) {
        match part {
            Part::Bytes(bytes) => writer.write_all(&bytes).ok()?,
            Part::Wait(time) => std::thread::sleep(time),
        }
    }
    Some(())
}

/// A whole JSON answer.
pub(crate) fn json(text: &str) -> Vec<Part> {
    json_with("", text)
}

/// A whole JSON answer with more headers, each with its line end.
pub(crate) fn json_with(headers: &str, text: &str) -> Vec<Part> {
    let length = text.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    vec![Part::Bytes(head.into_bytes()), Part::Bytes(text.into())]
}

/// The range that is asked for of that many bytes, or all of them, one at a time.
pub(crate) fn trickle(request: &Request, length: u64, pause: Duration) -> Vec<Part> {
    let head = match request.range {
        None => format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
        Some((start, end)) => format!(
            "HTTP/1.1 206 Part\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{end}/{length}\r\n\r\n",
            end + 1 - start
        ),
    };
    let mut parts = vec![Part::Bytes(head.into_bytes())];
    for _ in 0..length {
        parts.push(Part::Bytes(vec![b' ']));
        parts.push(Part::Wait(pause));
    }
    parts
}

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one model whose tree is that JSON; files are answered by `file`.
pub(crate) fn hub_of(
    tree: String,
    file: impl Fn(&Request) -> Vec<Part> + Send + Sync + 'static,
) -> String {
    start(move |_, request| {
        let path = &request.path;
        if path.contains("/revision/") {
            json(&format!(r#"{{"sha":"{COMMIT}"}}"#))
        } else if path.contains("/tree/") {
            json(&tree)
        } else {
            file(request)
        }
    })
}

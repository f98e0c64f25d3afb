//! Requests as they come in.

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::path::Path;

use percent_encoding::percent_decode_str;

use super::Content;

/// Bodies beyond this go to a file.
const IN_MEMORY: u64 = 8 << 20;

/// A request with its body.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path, still percent-encoded.
    pub(super) path: String,
    pub(super) query: String,
    headers: Vec<(String, String)>,
    pub(super) body: Content,
}

impl Request {
    /// Reads the next request of a connection; nothing when the client is done.
    pub(super) fn read(
        reader: &mut BufReader<TcpStream>,
        spool: &Path,
        number: u64,
    ) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(io::Error::other("no request line"));
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: read_headers(reader)?,
            body: Content::from(Vec::new()),
        };
        if request.header("expect").is_some() {
            reader
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = request.read_body(reader, &spool.join(format!("body-{number}")))?;
        Ok(Some(request))
    }

    fn read_body(&self, reader: &mut BufReader<TcpStream>, file: &Path) -> io::Result<Content> {
        let chunked = self
            .header("transfer-encoding")
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked"));
        let length: u64 = self
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        if chunked {
            let mut body = fs_err::File::create(file)?;
            while let Some(size) = chunk_size(reader)? {
                io::copy(&mut reader.by_ref().take(size), &mut body)?;
                let mut end = [0; 2];
                reader.read_exact(&mut end)?;
            }
        } else if length > IN_MEMORY {
            let mut body = fs_err::File::create(file)?;
            let copied = io::copy(&mut reader.by_ref().take(length), &mut body)?;
            if copied < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        } else {
            let mut body = vec![0; length as usize];
            reader.read_exact(&mut body)?;
            return Ok(Content::from(body));
        }
        Content::file(file)
    }

    /// A header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The token of `Authorization: Bearer …`.
    pub(super) fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (known, value) = pair.split_once('=')?;
            (known == name).then(|| decoded(value))
        })
    }

    /// The range that is asked for, cut to the file's size.
    pub(super) fn range(&self, size: u64) -> Option<Range<u64>> {
        let (start, end) = self
            .header("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let start: u64 = start.parse().ok()?;
        let end = end.parse::<u64>().map_or(size, |last| last + 1).min(size);
        Some(start..end)
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        let bytes = self.body.bytes().unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}

fn read_headers(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(headers);
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

fn chunk_size(reader: &mut BufReader<TcpStream>) -> io::Result<Option<u64>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size = line.trim().split(';').next().unwrap_or_default();
    let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
    if size == 0 {
        let mut end = String::new();
        reader.read_line(&mut end)?;
    }
    Ok((size > 0).then_some(size))
}

/// Percent-encoding taken away.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

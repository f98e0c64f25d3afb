//! Answers as they go out.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;

use serde_json::{Value, json};

use super::fault::FaultKind;
use super::{Content, TestHub};

/// A status, headers and a body.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Content,
    range: Range<u64>,
}

impl Answer {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Content::from(Vec::new()),
            range: 0..0,
        }
    }

    pub(super) fn json(value: &Value) -> Self {
        Self::new(200)
            .header("Content-Type", "application/json")
            .body(Content::from(value.to_string().into_bytes()))
    }

    /// A file or the range of it that is asked for.
    pub(super) fn file(content: Content, range: Option<Range<u64>>) -> Self {
        let size = content.size();
        let answer = Self::new(200).header("Accept-Ranges", "bytes");
        match range {
            None => answer.body(content),
            Some(range) if range.start >= range.end => {
                Self::new(416).header("Content-Range", format!("bytes */{size}"))
            }
            Some(range) => {
                let described = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let mut answer = answer.header("Content-Range", described).body(content);
                answer.status = 206;
                answer.range = range;
                answer
            }
        }
    }

    /// An error as the hub words it: for programs in a header, for people in the body.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let mut answer =
            Self::json(&json!({ "error": message })).header("X-Error-Message", message);
        answer.status = status;
        if code.is_empty() {
            answer
        } else {
            answer.header("X-Error-Code", code)
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    fn body(mut self, content: Content) -> Self {
        self.range = 0..content.size();
        self.body = content;
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Sends it; an error ends the connection, which is what a fault asks for.
    pub(super) fn send(
        &self,
        stream: &mut impl Write,
        method: &str,
        path: &str,
        hub: &TestHub,
    ) -> io::Result<()> {
        let length = self.range.end - self.range.start;
        let mut head = format!(
            "HTTP/1.1 {} Answer\r\nContent-Length: {length}\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head += "\r\n";
        stream.write_all(head.as_bytes())?;
        if method == "HEAD" {
            return stream.flush();
        }
        let fault = hub.body_fault(path, &self.range);
        let mut position = self.range.start;
        self.body.pieces(self.range.clone(), &mut |piece| {
            let here = position;
            position += piece.len() as u64;
            match fault {
                Some(FaultKind::CutAt(byte)) if byte < position => {
                    stream.write_all(&piece[..(byte - here) as usize])?;
                    stream.flush()?;
                    Err(io::ErrorKind::ConnectionAborted.into())
                }
                Some(FaultKind::FlipAt(byte)) if (here..position).contains(&byte) => {
                    let mut wrong = piece.to_vec();
                    wrong[(byte - here) as usize] ^= 0xff;
                    stream.write_all(&wrong)
                }
                _ => stream.write_all(piece),
            }
        })?;
        stream.flush()
    }
}

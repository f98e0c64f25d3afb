//! A file on the hub, read by ranges.

use std::io::{self, Read as _};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ureq::Timeout;

use crate::HubError;
use crate::answer::{Subject, header_text};
use crate::client::{Answer, Ask, Client, redirected, without_query};
use crate::listing::{HubFile, Listing};
use crate::pace::{Paced, TooSlow};
use crate::upload::Counted;

/// Redirects from the hub to where the bytes are.
const MOST_REDIRECTS: usize = 8;
/// An answer that gives one of so many parts of what is asked for shows that the next one may give more.
const PROGRESS: usize = 64;
/// How often in a row a file may come too slowly.
const MOST_TRICKLES: u32 = 2;

/// How an answer ended before all bytes were there.
struct End {
    problem: String,
    was_slow: bool,
}

/// Whether nothing, or next to nothing, came. An answer that is cut because it has lasted long enough is not meant.
fn is_slow(error: io::Error) -> bool {
    match ureq::Error::from(error) {
        ureq::Error::Timeout(kind) => kind == Timeout::PerRead,
        ureq::Error::Io(error) => TooSlow::is(&error),
        _ => false,
    }
}

/// Where a file is, with the address that the hub redirected to for as long as it is valid.
#[derive(Debug)]
pub(crate) struct Location {
    model: String,
    commit: String,
    path: String,
    size: u64,
    url: String,
    direct: Mutex<Option<String>>,
}

impl Location {
    pub(crate) fn new(client: &Client, listing: &Listing, file: &HubFile) -> Self {
        Self {
            model: listing.name.repository.clone(),
            commit: listing.commit.clone(),
            path: file.path.clone(),
            size: file.size,
            url: listing
                .name
                .file(client.endpoint(), &listing.commit, &file.path),
            direct: Mutex::new(None),
        }
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Asks for the file without its bytes: may it be read?
    pub(crate) fn check(&self, client: &Client) -> Result<(), HubError> {
        let answer = client.ask(Ask::head(&self.url))?;
        if answer.status().is_success() || answer.status().is_redirection() {
            return Ok(());
        }
        Err(client.refusal(answer, &self.url, &self.subject()))
    }

    /// Reads a range in full, however often the connection breaks, as long as enough comes in between. `bytes` is memory that may be
    /// used for it; `arrived` hears of every piece.
    pub(crate) fn read(
        &self,
        client: &Client,
        range: Range<u64>,
        mut bytes: Vec<u8>,
        arrived: &dyn Fn(u64),
    ) -> Result<Vec<u8>, HubError> {
        let wanted = (range.end - range.start) as usize;
        bytes.clear();
        bytes.reserve_exact(wanted);
        let (mut attempt, mut trickles) = (1, 0);
        while bytes.len() < wanted {
            let rest = range.start + bytes.len() as u64..range.end;
            let before = bytes.len();
            let end = self.append(client, rest, &mut bytes, arrived)?;
            if bytes.len() == wanted {
                break;
            }
            if bytes.len() - before >= wanted.div_ceil(PROGRESS) {
                attempt = 1;
            }
            trickles = if end.was_slow { trickles + 1 } else { 0 };
            if attempt >= client.attempts() || trickles >= MOST_TRICKLES {
                return Err(HubError::Unreachable {
                    url: self.url.clone(),
                    problem: format!(
                        "the connection ended at byte {} of {}: {}",
                        range.start + bytes.len() as u64,
                        self.size,
                        end.problem
                    ),
                });
            }
            client.wait(attempt);
            attempt += 1;
        }
        Ok(bytes)
    }

    /// Appends what one answer gives; says how it ended.
    fn append(
        &self,
        client: &Client,
        range: Range<u64>,
        bytes: &mut Vec<u8>,
        arrived: &dyn Fn(u64),
    ) -> Result<End, HubError> {
        let mut answer = self.ask(client, &range)?;
        let wanted = range.end - range.start;
        let body = answer.body_mut().as_reader().take(wanted);
        let mut body = Counted {
            inner: Paced::new(body, client.download_patience()),
            told: arrived,
        };
        Ok(match body.read_to_end(bytes) {
            Ok(_) => End {
                problem: "received fewer bytes than announced".to_owned(),
                was_slow: false,
            },
            Err(error) => End {
                problem: error.to_string(),
                was_slow: is_slow(error),
            },
        })
    }

    /// The answer with a range's bytes, from where the hub redirects to.
    fn ask(&self, client: &Client, range: &Range<u64>) -> Result<Answer, HubError> {
        let known = self.direct().clone();
        if let Some(url) = known {
            let answer = client.ask(self.request(&url, range))?;
            if answer.status().is_success() {
                return self.checked(answer, range);
            }
            // the address has expired
            *self.direct() = None;
        }
        let mut url = self.url.clone();
        for _ in 0..MOST_REDIRECTS {
            let answer = client.ask(self.request(&url, range))?;
            if answer.status().is_redirection() {
                url = self.redirected(&url, &answer)?;
            } else if answer.status().is_success() {
                if url != self.url {
                    *self.direct() = Some(url);
                }
                return self.checked(answer, range);
            } else {
                return Err(client.refusal(answer, without_query(&url), &self.subject()));
            }
        }
        Err(self.wrong(format!("{MOST_REDIRECTS} redirects, giving up")))
    }

    fn request<'a>(&self, url: &'a str, range: &Range<u64>) -> Ask<'a> {
        let whole = *range == (0..self.size);
        Ask {
            range: (!whole).then_some((range.start, range.end)),
            ..Ask::get(url)
        }
    }

    fn redirected(&self, from: &str, answer: &Answer) -> Result<String, HubError> {
        let location = header_text(answer, "location").unwrap_or_default();
        redirected(from, location)
            .ok_or_else(|| self.wrong(format!("a redirect to `{}`", without_query(location))))
    }

    /// The answer must be about the bytes that were asked for, of a file of the size that was promised.
    fn checked(&self, answer: Answer, range: &Range<u64>) -> Result<Answer, HubError> {
        if answer.status() != 206 {
            return if *range == (0..self.size) {
                Ok(answer)
            } else {
                Err(self.wrong("received the whole file instead of a range".to_owned()))
            };
        }
        let found = header_text(&answer, "content-range").unwrap_or_default();
        let expected = format!("bytes {}-{}/{}", range.start, range.end - 1, self.size);
        if found == expected {
            return Ok(answer);
        }
        Err(self.wrong(format!(
            "found `Content-Range: {found}`, expected `{expected}`"
        )))
    }

    fn direct(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.direct.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            model: &self.model,
            revision: &self.commit,
            file: &self.path,
            action: "",
        }
    }

    fn wrong(&self, problem: String) -> HubError {
        HubError::Answer {
            url: self.url.clone(),
            problem,
        }
    }
}

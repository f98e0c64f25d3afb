//! What an answer says: JSON of a known form and size, the next page, or a refusal.

use std::io::{self, BufReader, Read as _};

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::Value;

use crate::HubError;
use crate::client::{Answer, Ask, Client, unreachable};
use crate::pace::Paced;

/// The largest JSON answer. A page of a tree has a thousand files, and a model's answer to an upload a few thousand addresses.
pub(crate) const LARGE_JSON: u64 = 32 << 20;
/// The largest answer that tells of one thing, or of a few.
pub(crate) const SMALL_JSON: u64 = 4 << 20;
/// The longest address of a next page.
const LONGEST_LINK: usize = 4 << 10;

/// What a request is about, for the words of an error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject<'a> {
    pub(crate) model: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) file: &'a str,
    /// What is done where something is written, such as ``create `me/model` ``.
    pub(crate) action: &'a str,
}

/// A JSON answer.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) value: T,
    /// The address that gave it.
    pub(crate) url: String,
    /// The address of the next page.
    pub(crate) next: Option<String>,
}

impl Client {
    /// A JSON answer of at most so many bytes.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        limit: u64,
        subject: &Subject<'_>,
    ) -> Result<T, HubError> {
        let page = self.page(ask, limit, subject, std::marker::PhantomData::<T>)?;
        Ok(page.value)
    }

    /// A JSON answer of at most so many bytes, parsed while it comes.
    ///
    /// Nothing is built of what the form does not ask for, so memory is bounded by what `seed` keeps.
    pub(crate) fn page<T>(
        &self,
        ask: Ask<'_>,
        limit: u64,
        subject: &Subject<'_>,
        seed: impl for<'de> DeserializeSeed<'de, Value = T>,
    ) -> Result<Page<T>, HubError> {
        let (mut answer, url) = self.ask_here(ask)?;
        if !answer.status().is_success() {
            return Err(self.refusal(answer, ask.url, subject));
        }
        let next = header_text(&answer, "link")
            .and_then(next_page)
            .filter(|link| link.len() <= LONGEST_LINK);
        let body = answer.body_mut().with_config().limit(limit).reader();
        let body = BufReader::with_capacity(64 << 10, Paced::new(body, self.answer_patience()));
        let mut json = serde_json::Deserializer::from_reader(body);
        let value = seed
            .deserialize(&mut json)
            .and_then(|value| json.end().map(|()| value));
        match value {
            Ok(value) => Ok(Page { value, url, next }),
            Err(error) => Err(broken(ask.url, limit, error)),
        }
    }

    /// What an answer other than a success means.
    pub(crate) fn refusal(&self, mut answer: Answer, url: &str, subject: &Subject<'_>) -> HubError {
        let status = answer.status().as_u16();
        let code = header_text(&answer, "x-error-code")
            .unwrap_or_default()
            .to_owned();
        let message = header_text(&answer, "x-error-message").map(shortened);
        let message = message.unwrap_or_else(|| self.body_message(&mut answer));
        let model = subject.model.to_owned();
        let endpoint = self.endpoint().to_owned();
        let page = format!("{endpoint}/{}", subject.model);
        let token = self.token_use();
        match (status, code.as_str()) {
            (401, "GatedRepo") => HubError::GatedNoToken { model, page, token },
            (403, "GatedRepo") => HubError::GatedNotAccepted { model, page },
            (_, "RevisionNotFound") => HubError::NoRevision {
                model,
                revision: subject.revision.to_owned(),
            },
            (_, "EntryNotFound") => HubError::NoFile {
                model,
                file: subject.file.to_owned(),
                revision: subject.revision.to_owned(),
            },
            (401, _) if message.contains("Invalid credentials") => HubError::BadToken { endpoint },
            (401 | 403, _) if !subject.action.is_empty() => HubError::Forbidden {
                action: subject.action.to_owned(),
                message,
                token,
            },
            (401 | 404, "RepoNotFound") | (401, _) => HubError::NoModel {
                model,
                endpoint,
                token,
            },
            _ => HubError::Status {
                url: url.to_owned(),
                status,
                message,
            },
        }
    }

    /// The hub's words in the body of a refusal.
    fn body_message(&self, answer: &mut Answer) -> String {
        const LONGEST: u64 = 64 << 10;
        let body = answer.body_mut().with_config().limit(LONGEST).reader();
        let mut bytes = Vec::new();
        let read = Paced::new(body, self.answer_patience()).read_to_end(&mut bytes);
        let value: Value = read
            .ok()
            .and_then(|_| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let text = value["error"]
            .as_str()
            .or_else(|| value["message"].as_str());
        shortened(text.unwrap_or_default())
    }
}

/// Why a JSON answer could not be read.
fn broken(url: &str, limit: u64, error: serde_json::Error) -> HubError {
    let answer = |problem| HubError::Answer {
        url: url.to_owned(),
        problem,
    };
    if !error.is_io() {
        return answer(format!("unexpected JSON: {error}"));
    }
    match ureq::Error::from(io::Error::from(error)) {
        ureq::Error::BodyExceedsLimit(_) => answer(format!("more than {} MiB", limit >> 20)),
        error => unreachable(url, &error),
    }
}

/// A header as text.
pub(crate) fn header_text<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

fn shortened(text: &str) -> String {
    text.chars().take(500).collect()
}

/// The next page in a `Link` header.
fn next_page(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (url, _) = next.trim().strip_prefix('<')?.split_once('>')?;
    Some(url.to_owned())
}

/// A value that only says whether it is there: anything but `null` and `false` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Flag;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("`true`, `false` or a text")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_str<E>(self, _: &str) -> Result<Flag, E> {
                Ok(Flag(true))
            }

            fn visit_unit<E>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_from_a_link() {
        let link = "<https://h/a?cursor=x>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("https://h/a?cursor=x"));
        assert_eq!(next_page("<https://h/a>; rel=\"prev\""), None);
    }

    #[test]
    fn a_flag_is_true_for_true_and_any_text() {
        let flag = |json| serde_json::from_str::<Flag>(json).unwrap().0;
        assert!(flag("true") && flag("\"manual\""));
        assert!(!flag("false") && !flag("null"));
        assert!(serde_json::from_str::<Flag>("[[]]").is_err());
    }
}

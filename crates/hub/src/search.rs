//! Finds models by parts of their names.

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::answer::{Flag, SMALL_JSON, Subject};
use crate::client::Ask;
use crate::{Hub, HubError};

/// A model that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModel {
    /// Its name, `organization/name`.
    pub name: String,
    /// Downloads in the last 30 days.
    pub downloads: u64,
    /// How many like it.
    pub likes: u64,
    /// When it was changed last, in seconds since 1970.
    pub updated: Option<i64>,
    /// What it is for, such as `text-generation`.
    pub task: Option<String>,
    /// The identifier of its licence.
    pub license: Option<String>,
    /// Whether its licence must be accepted first.
    pub gated: bool,
}

/// What the hub is asked to tell of each.
const FACTS: [&str; 6] = [
    "downloads",
    "likes",
    "lastModified",
    "pipeline_tag",
    "tags",
    "gated",
];

/// The hub's words: <https://huggingface.co/docs/hub/api>.
#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    downloads: u64,
    #[serde(default)]
    likes: u64,
    #[serde(rename = "lastModified")]
    last_modified: Option<String>,
    pipeline_tag: Option<String>,
    #[serde(default)]
    tags: Tags,
    /// `false`, or how access is given.
    #[serde(default)]
    gated: Flag,
}

/// What is kept of a model's tags.
#[derive(Debug, Default)]
struct Tags {
    license: Option<String>,
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Tags;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list of tags")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut tags: A) -> Result<Tags, A::Error> {
                let mut license = None;
                while license.is_none() {
                    let Some(tag) = tags.next_element::<String>()? else {
                        break;
                    };
                    license = tag.strip_prefix("license:").map(str::to_owned);
                }
                while tags.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Tags { license })
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

impl Hub {
    /// Finds models that make text, those with most downloads first.
    ///
    /// # Errors
    /// When the hub must not be asked, or does not answer.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<FoundModel>, HubError> {
        if self.offline {
            return Err(HubError::Offline {
                model: text.to_owned(),
            });
        }
        let expand = FACTS.join("&expand=");
        let url = format!(
            "{}/api/models?search={}&filter=text-generation&sort=downloads&limit={limit}&expand={expand}",
            self.client.endpoint(),
            utf8_percent_encode(text, NON_ALPHANUMERIC),
        );
        let ask = Ask::get(&url);
        let entries: Vec<Entry> = self.client.json(ask, SMALL_JSON, &Subject::default())?;
        Ok(entries.into_iter().take(limit).map(found).collect())
    }
}

fn found(entry: Entry) -> FoundModel {
    FoundModel {
        license: entry.tags.license,
        name: entry.id,
        downloads: entry.downloads,
        likes: entry.likes,
        updated: entry
            .last_modified
            .and_then(|time| time.parse().ok())
            .map(Timestamp::as_second),
        task: entry.pipeline_tag,
        gated: entry.gated.0,
    }
}

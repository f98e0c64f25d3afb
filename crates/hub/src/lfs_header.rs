//! What the hub says of an upload's address: the size of its parts and where each goes.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::upload::MOST_PARTS;

/// Names that are not parts.
const OTHERS: usize = 64;

/// How large the parts of an upload are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartSize {
    Bytes(u64),
    /// What is said is no size.
    Unreadable,
}

/// The `header` of an LFS action, of which only texts and numbers are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct LfsHeader {
    part_size: Option<PartSize>,
    parts: BTreeMap<usize, String>,
}

impl LfsHeader {
    /// The size of a part; nothing where the file goes up in one.
    pub(crate) fn part_size(&self) -> Option<PartSize> {
        self.part_size
    }

    /// Where a part goes; they are counted from 1.
    pub(crate) fn part(&self, number: usize) -> Option<&str> {
        self.parts.get(&number).map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for LfsHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = LfsHeader;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("texts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LfsHeader, A::Error> {
                let mut header = LfsHeader::default();
                let mut count = 0;
                while let Some((name, Text(value))) = map.next_entry::<String, Text>()? {
                    count += 1;
                    if count > MOST_PARTS as usize + OTHERS {
                        return Err(A::Error::custom(format!("more than {MOST_PARTS} parts")));
                    }
                    if name == "chunk_size" {
                        header.part_size = Some(match value.parse() {
                            Ok(size) if size > 0 => PartSize::Bytes(size),
                            _ => PartSize::Unreadable,
                        });
                    } else if let Ok(number) = name.parse() {
                        header.parts.insert(number, value);
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// A text, or a number as one.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Text;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_their_size_are_read_as_texts_or_numbers() {
        let json = r#"{"chunk_size":"16","2":"http://h/2","00001":"http://h/1","x":"y"}"#;
        let header: LfsHeader = serde_json::from_str(json).unwrap();
        assert_eq!(header.part_size(), Some(PartSize::Bytes(16)));
        assert_eq!(header.part(1), Some("http://h/1"));
        assert_eq!(header.part(2), Some("http://h/2"));
        assert_eq!(header.part(3), None);
        let size = |json: &str| {
            let header: LfsHeader = serde_json::from_str(json).unwrap();
            header.part_size()
        };
        assert_eq!(size(r#"{"chunk_size":5}"#), Some(PartSize::Bytes(5)));
        for none in ["0", "-1", "\"x\"", "\"\""] {
            assert_eq!(
                size(&format!(r#"{{"chunk_size":{none}}}"#)),
                Some(PartSize::Unreadable),
                "{none}"
            );
        }
        assert_eq!(size("{}"), None);
    }

    #[test]
    fn more_parts_than_a_store_takes_are_refused() {
        let parts: Vec<String> = (0..11_000).map(|part| format!(r#""{part}":"""#)).collect();
        let json = format!("{{{}}}", parts.join(","));
        let error = serde_json::from_str::<LfsHeader>(&json).unwrap_err();
        assert!(
            error.to_string().contains("more than 10000 parts"),
            "{error}"
        );
        assert!(serde_json::from_str::<LfsHeader>(r#"{"1":[[]]}"#).is_err());
    }
}

//! The metadata at the top of a model's README, as far as merges and hosts are concerned by it.
//! <https://huggingface.co/docs/hub/model-cards#model-card-metadata>

use saphyr_parser::{Event, Parser};

/// What a model's README says about the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrontMatter {
    /// The licence's identifier, such as `apache-2.0` or `other`.
    pub license: Option<String>,
    /// The name of an `other` licence.
    pub license_name: Option<String>,
    /// Where its text is.
    pub license_link: Option<String>,
    /// Language codes.
    pub language: Vec<String>,
    /// The models that it was made from.
    pub base_model: Vec<String>,
    /// What loads it, such as `transformers`.
    pub library_name: Option<String>,
    /// What it is for, such as `text-generation`.
    pub pipeline_tag: Option<String>,
    /// What it is found by.
    pub tags: Vec<String>,
}

impl FrontMatter {
    /// Reads the block between the first two lines of `---`. A README without one, or with a damaged one, says nothing.
    pub fn parse(readme: &str) -> Self {
        Self::find(readme).unwrap_or_default()
    }

    /// As [`Self::parse`]; nothing where there is no such block, or a damaged one.
    pub fn find(readme: &str) -> Option<Self> {
        let mut matter = Self::default();
        for (key, mut values) in entries(&block(readme)?)? {
            match key.as_str() {
                "license" => matter.license = values.pop(),
                "license_name" => matter.license_name = values.pop(),
                "license_link" => matter.license_link = values.pop(),
                "language" => matter.language = values,
                "base_model" => matter.base_model = values,
                "library_name" => matter.library_name = values.pop(),
                "pipeline_tag" => matter.pipeline_tag = values.pop(),
                "tags" => matter.tags = values,
                _ => {}
            }
        }
        Some(matter)
    }
}

/// Bytes of metadata that are read, and values of a key: real cards have some kilobytes and some dozens.
const LARGEST_BLOCK: usize = 256 << 10;
const MOST_VALUES: usize = 1000;

fn block(readme: &str) -> Option<String> {
    let mut lines = readme.trim_start_matches('\u{feff}').lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    let mut yaml = String::new();
    for line in lines {
        if line.trim_end() == "---" {
            return Some(yaml);
        }
        yaml += line;
        yaml.push('\n');
        if yaml.len() > LARGEST_BLOCK {
            return None;
        }
    }
    None
}

/// The top-level keys with their scalar, or the scalars of their list. `None` for text that is no YAML mapping.
fn entries(yaml: &str) -> Option<Vec<(String, Vec<String>)>> {
    let mut depth = 0usize;
    let mut entries: Vec<(String, Vec<String>)> = Vec::new();
    let mut key: Option<String> = None;
    for event in Parser::new_from_str(yaml) {
        match event.ok()?.0 {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => {
                depth = depth.checked_sub(1)?;
                if depth == 1 {
                    key = None;
                }
            }
            Event::Scalar(text, ..) => match (depth, &key) {
                (1, None) => {
                    key = Some(text.to_string());
                    entries.push((text.into_owned(), Vec::new()));
                }
                (1, Some(_)) => {
                    entries.last_mut()?.1.push(text.into_owned());
                    key = None;
                }
                (2, Some(_)) => {
                    let values = &mut entries.last_mut()?.1;
                    if values.len() < MOST_VALUES {
                        values.push(text.into_owned());
                    }
                }
                _ => {}
            },
            Event::Alias(_) if depth == 1 => key = None,
            _ => {}
        }
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_and_languages_are_found_among_other_keys() {
        let readme = "---\nlicense: other\nlicense_name: qwen\nlicense_link: https://x/LICENSE\nlanguage:\n- en\n- no\n\
                      model-index:\n- name: a\n  results:\n  - license: wrong\ntags: [chat]\n---\n# Title\n";
        let matter = FrontMatter::parse(readme);
        assert_eq!(matter.license.as_deref(), Some("other"));
        assert_eq!(matter.license_name.as_deref(), Some("qwen"));
        assert_eq!(matter.license_link.as_deref(), Some("https://x/LICENSE"));
        assert_eq!(matter.language, ["en", "no"]);
    }

    #[test]
    fn a_single_language_and_windows_line_ends_are_read() {
        assert_eq!(
            FrontMatter::parse("---\r\nlanguage: en\r\nlicense: mit\r\n---\r\n").language,
            ["en"]
        );
    }

    #[test]
    fn readmes_without_sound_metadata_say_nothing() {
        for readme in [
            "",
            "# Title\n---\nlicense: mit\n---\n",
            "---\nlicense: mit\n",
            "---\n[\n---\n",
            "---\n- a\n---\n",
        ] {
            assert_eq!(
                FrontMatter::parse(readme),
                FrontMatter::default(),
                "{readme:?}"
            );
        }
    }

    #[test]
    fn metadata_that_nobody_writes_says_nothing_or_little() {
        let many = format!("---\ntags: [{}]\nlicense: mit\n---\n", "a, ".repeat(50_000));
        let matter = FrontMatter::parse(&many);
        assert_eq!(
            (matter.tags.len(), matter.license.as_deref()),
            (MOST_VALUES, Some("mit"))
        );
        let begun = std::time::Instant::now();
        for bomb in [
            format!(
                "a: &x \"{}\"\nb: [{}]\n",
                "y".repeat(100_000),
                "*x, ".repeat(30_000)
            ),
            "[".repeat(200_000),
            "- ".repeat(100_000),
            "a: {".repeat(50_000),
            "? ".repeat(100_000),
            "a: 1\n".repeat(40_000),
            "a\n".repeat(5_000_000),
        ] {
            let matter = FrontMatter::parse(&format!("---\n{bomb}\n---\n"));
            assert!(matter.tags.is_empty());
        }
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}

//! What looks like a key or a token in a text that is to be published.

use std::io;
use std::path::Path;

use weightsmith_tensors::read_regular;

/// Larger files are no texts that somebody wrote.
const LARGEST: u64 = 64 << 20;

/// Bytes at the beginning that tell a text from other data.
const SAMPLE: usize = 8 << 10;

/// A key or token in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The file.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
    /// What it looks like.
    pub kind: &'static str,
}

/// Tokens that show by how they begin.
struct Shape {
    kind: &'static str,
    prefix: &'static str,
    /// The fewest characters behind the prefix.
    length: usize,
    /// Whether exactly so many follow.
    exact: bool,
    letters: fn(u8) -> bool,
}

const SHAPES: [Shape; 17] = [
    shape("a Hugging Face token", "hf_", 30, alphanumeric),
    shape("a Hugging Face token", "api_org_", 30, alphanumeric),
    shape("a GitHub token", "ghp_", 36, alphanumeric),
    shape("a GitHub token", "gho_", 36, alphanumeric),
    shape("a GitHub token", "ghu_", 36, alphanumeric),
    shape("a GitHub token", "ghs_", 36, alphanumeric),
    shape("a GitHub token", "ghr_", 36, alphanumeric),
    shape("a GitHub token", "github_pat_", 22, word),
    shape("a GitLab token", "glpat-", 20, dashed),
    shape("an API key", "sk-", 20, dashed),
    exactly("an AWS key", "AKIA", 16, capital),
    exactly("an AWS key", "ASIA", 16, capital),
    shape("a Slack token", "xoxb-", 10, dashed),
    shape("a Slack token", "xoxp-", 10, dashed),
    shape("a Slack token", "xoxa-", 10, dashed),
    exactly("a Google key", "AIza", 35, dashed),
    shape("an npm token", "npm_", 36, alphanumeric),
];

const fn shape(
    kind: &'static str,
    prefix: &'static str,
    length: usize,
    letters: fn(u8) -> bool,
) -> Shape {
    Shape {
        kind,
        prefix,
        length,
        exact: false,
        letters,
    }
}

const fn exactly(
    kind: &'static str,
    prefix: &'static str,
    length: usize,
    letters: fn(u8) -> bool,
) -> Shape {
    Shape {
        exact: true,
        ..shape(kind, prefix, length, letters)
    }
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// The keys and tokens of a file, one for each line; none in what is no text.
pub(super) fn in_file(name: &str, path: &Path) -> io::Result<Vec<Secret>> {
    if name.ends_with(".safetensors") || fs_err::metadata(path)?.len() > LARGEST {
        return Ok(Vec::new());
    }
    Ok(in_bytes(name, &read_regular(path, LARGEST)?))
}

/// The keys and tokens of a file's content.
pub(super) fn in_bytes(name: &str, content: &[u8]) -> Vec<Secret> {
    if content.iter().take(SAMPLE).any(|byte| *byte == 0) {
        return Vec::new();
    }
    let lines = content.split(|byte| *byte == b'\n').enumerate();
    lines
        .filter_map(|(index, line)| {
            Some(Secret {
                name: name.to_owned(),
                line: index + 1,
                kind: in_line(line)?,
            })
        })
        .collect()
}

fn in_line(line: &[u8]) -> Option<&'static str> {
    (0..line.len()).find_map(|at| {
        if at > 0 && dashed(line[at - 1]) && line[at] != b'-' {
            return None;
        }
        let rest = &line[at..];
        match rest[0] {
            b'-' => private_key(rest),
            b'a' | b'A' if bearer(rest) => Some("an access token"),
            b'h' | b'g' | b's' | b'A' | b'x' | b'n' | b'a' => SHAPES
                .iter()
                .find(|shape| has_shape(rest, shape))
                .map(|shape| shape.kind),
            _ => None,
        }
    })
}

fn has_shape(text: &[u8], shape: &Shape) -> bool {
    let Some(rest) = text.strip_prefix(shape.prefix.as_bytes()) else {
        return false;
    };
    let length = rest
        .iter()
        .take_while(|byte| (shape.letters)(**byte))
        .count();
    let is_long = if shape.exact {
        length == shape.length && rest.get(length).is_none_or(|byte| !dashed(*byte))
    } else {
        length >= shape.length
    };
    is_long && is_random(&rest[..length])
}

/// Whether letters could come from a generator: placeholders repeat a letter, and words have no digits.
fn is_random(text: &[u8]) -> bool {
    let mut distinct = text.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() >= 6
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().any(u8::is_ascii_alphabetic)
}

/// `-----BEGIN … PRIVATE KEY-----`
fn private_key(text: &[u8]) -> Option<&'static str> {
    let rest = text.strip_prefix(b"-----BEGIN ")?;
    let end = rest
        .windows(5)
        .take(64)
        .position(|dashes| dashes == b"-----")?;
    rest[..end]
        .ends_with(b"PRIVATE KEY")
        .then_some("a private key")
}

/// `Authorization: Bearer …`, in any language's quotes.
fn bearer(text: &[u8]) -> bool {
    let after = |text: &[u8], word: &[u8]| -> Option<usize> {
        let head = text.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then_some(word.len())
    };
    let between = |text: &[u8]| {
        text.iter()
            .take_while(|byte| b"\"': =\\".contains(byte))
            .count()
    };
    let Some(name) = after(text, b"authorization") else {
        return false;
    };
    let rest = &text[name..];
    let rest = &rest[between(rest)..];
    let Some(scheme) = after(rest, b"bearer ") else {
        return false;
    };
    let token = &rest[scheme..];
    let length = token
        .iter()
        .take_while(|byte| dashed(**byte) || b".~+/=".contains(byte))
        .count();
    length >= 16 && is_random(&token[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters and digits in no order, so that no key stands in this file.
    fn random(length: usize) -> String {
        "a1B2c3D4e5F6g7H8i9J0"
            .chars()
            .cycle()
            .take(length)
            .collect()
    }

    #[test]
    fn keys_are_found_with_their_lines_and_kinds() {
        let upper = random(16).to_uppercase();
        for (text, kind) in [
            (
                format!("token = \"hf_{}\"", random(34)),
                "a Hugging Face token",
            ),
            (format!("ghp_{}", random(36)), "a GitHub token"),
            (
                format!("github_pat_{}_{}", random(22), random(59)),
                "a GitHub token",
            ),
            (
                format!("OPENAI_API_KEY=sk-proj-{}", random(48)),
                "an API key",
            ),
            (format!("aws: AKIA{upper}"), "an AWS key"),
            (format!("xoxb-{}", random(24)), "a Slack token"),
            (format!("key=AIza{}", random(35)), "a Google key"),
            (
                format!("-----BEGIN {} KEY-----", "RSA PRIVATE"),
                "a private key",
            ),
            (
                format!("-H \"Authorization: Bearer {}\"", random(20)),
                "an access token",
            ),
            (
                format!("\"authorization\": \"bearer {}\"", random(20)),
                "an access token",
            ),
        ] {
            let found = in_bytes("f", format!("one\ntwo {text} three\n").as_bytes());
            let expected = Secret {
                name: "f".to_owned(),
                line: 2,
                kind,
            };
            assert_eq!(found, [expected], "{text}");
        }
    }

    #[test]
    fn placeholders_words_and_data_are_none() {
        let upper = random(17).to_uppercase();
        for text in [
            "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
            "hf_hub_download(repo_id=\"a/b\") hf_transfer".to_owned(),
            "sk-learn and task-specific-fine-tuned-models-of-2024-with-long-names".to_owned(),
            format!("AKIA{upper}"),
            format!("data:AAAAhf{}", random(40)),
            "Authorization: Bearer $HF_TOKEN_FROM_THE_ENVIRONMENT".to_owned(),
            "Authorization: Bearer <your token here, please>".to_owned(),
            "-----BEGIN PUBLIC KEY-----".to_owned(),
            format!("\0\u{1}hf_{}", random(34)),
        ] {
            assert_eq!(in_bytes("f", text.as_bytes()), [], "{text}");
        }
    }
}

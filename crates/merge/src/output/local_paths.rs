//! Paths of the machine on which a model was trained or merged, in its JSON files and texts.

use super::json_text::{self, Kind, Member, Node};

/// Files above this size are vocabularies, which name no paths.
const LARGEST: u64 = 4 << 20;

/// Files that hold a vocabulary, in which a path is a token.
const VOCABULARIES: [&str; 5] = [
    "tokenizer.json",
    "vocab.json",
    "added_tokens.json",
    "vocab.txt",
    "merges.txt",
];

/// Ends of keys whose values are paths, names or addresses.
const PATH_KEYS: [&str; 7] = [
    "name_or_path",
    "_file",
    "_files",
    "_path",
    "_paths",
    "_dir",
    "path",
];

/// How the paths of somebody's own files begin, whatever they are called.
const HOMES: [&str; 6] = ["/home/", "/Users/", "/root/", "~/", "~\\", "file://"];

/// How the paths of somebody's own files begin in a text, behind the drive on Windows.
const HOMES_IN_PROSE: [&str; 5] = ["/home/", "/Users/", "/root/", "\\Users\\", "file:///"];

/// Paths of one text that are told; where there is one, its author looks for the others.
const MOST_TOLD: usize = 10;

/// Whether a file is JSON in which local paths are looked for.
pub(crate) fn is_searched(name: &str, bytes: u64) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let is_json = std::path::Path::new(file)
        .extension()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("json"));
    is_json && bytes <= LARGEST && !VOCABULARIES.contains(&file)
}

/// JSON without the members that hold local paths, and their keys; `None` where there are none, or where the text is no JSON.
///
/// They are left out rather than emptied: loaders have defaults for what is missing, and take an empty name for a name.
pub(crate) fn without_local_paths(text: &str) -> Option<(String, Vec<String>)> {
    let mut text = text.to_owned();
    let mut keys = Vec::new();
    loop {
        let root = json_text::parse(&text).ok()?;
        let Some((members, index)) = find(&root) else {
            break;
        };
        keys.push(members[index].key.clone());
        text.replace_range(span(members, index), "");
    }
    (!keys.is_empty()).then_some((text, keys))
}

/// Whether a file is a text for readers.
pub(crate) fn is_prose(name: &str, bytes: u64) -> bool {
    let extension = std::path::Path::new(name).extension();
    let is_text = extension.is_none_or(|kind| {
        ["md", "txt", "rst"]
            .iter()
            .any(|text| kind.eq_ignore_ascii_case(text))
    });
    is_text && bytes <= LARGEST && !VOCABULARIES.contains(&name)
}

/// The local paths that a text mentions, each with its line.
pub(crate) fn in_prose(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().zip(1..);
    let paths = lines.flat_map(|(line, number)| {
        line.split([
            ' ', '\t', '`', '"', '\'', '(', ')', '[', ']', '<', '>', ',', ';', '=', '|',
        ])
        .map(|word| word.trim_end_matches(['.', ':', '!', '?', '*']))
        .filter(|word| is_home(word))
        .map(move |word| (number, word))
    });
    paths.take(MOST_TOLD).collect()
}

fn is_home(word: &str) -> bool {
    let path = match word.as_bytes() {
        [drive, b':', ..] if drive.is_ascii_alphabetic() => &word[2..],
        _ => word,
    };
    let mut homes = HOMES_IN_PROSE.iter();
    homes.any(|home| path.len() > home.len() && path.starts_with(home))
}

/// The first member with a local path, and its place among its siblings.
fn find(node: &Node) -> Option<(&[Member], usize)> {
    match &node.kind {
        Kind::Object(members) => {
            let holds = |member: &Member| holds_local(&member.key, &member.value);
            match members.iter().position(holds) {
                Some(index) => Some((members, index)),
                None => members.iter().find_map(|member| find(&member.value)),
            }
        }
        Kind::Array(items) => items.iter().find_map(find),
        Kind::Scalar(_) => None,
    }
}

fn holds_local(key: &str, node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(value) => value.as_str().is_some_and(|value| is_local(key, value)),
        Kind::Array(items) => items
            .iter()
            .any(|item| matches!(item.kind, Kind::Scalar(_)) && holds_local(key, item)),
        Kind::Object(_) => false,
    }
}

/// Whether a value is a path of somebody's machine.
fn is_local(key: &str, value: &str) -> bool {
    let is_path = PATH_KEYS.iter().any(|end| key.ends_with(end));
    let is_windows = {
        let mut letters = value.chars();
        letters
            .next()
            .is_some_and(|drive| drive.is_ascii_alphabetic())
            && letters.next() == Some(':')
            && matches!(letters.next(), Some('\\' | '/'))
    };
    let is_home = HOMES.iter().any(|home| value.starts_with(home)) || is_windows;
    let is_other = value.starts_with(['/', '.', '\\']) && value.contains(['/', '\\']);
    // a text that only begins like a path is a template, or words
    let is_one_line = !value.contains(['\n', '{', '<']);
    is_one_line && (is_home || (is_path && is_other))
}

/// The text of a member with the comma that parts it from its neighbour.
fn span(members: &[Member], index: usize) -> std::ops::Range<usize> {
    let own = &members[index];
    match (index.checked_sub(1), members.get(index + 1)) {
        (Some(before), _) => members[before].value.span.end..own.value.span.end,
        (None, Some(next)) => own.key_span.start..next.key_span.start,
        (None, None) => own.key_span.start..own.value.span.end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> (String, Vec<String>) {
        without_local_paths(text).unwrap()
    }

    #[test]
    fn members_with_paths_go_and_all_else_keeps_its_bytes() {
        let text = "{\n  \"_name_or_path\": \"/home/me/m\",\n  \"a\": 1e-06,\n  \"text_config\": {\"_name_or_path\": \"./out\", \"b\": NaN},\n  \"tokenizer_file\": \"C:\\\\m\\\\t.json\"\n}\n";
        let (found, keys) = stripped(text);
        assert_eq!(
            found,
            "{\n  \"a\": 1e-06,\n  \"text_config\": {\"b\": NaN}\n}\n"
        );
        assert_eq!(keys, ["_name_or_path", "tokenizer_file", "_name_or_path"]);
        assert_eq!(stripped("{\"x_file\": \"~/a\"}").0, "{}");
        assert_eq!(
            stripped("{\"a\": [{\"run\": \"/root/a b\"}]}").0,
            "{\"a\": [{}]}"
        );
        assert_eq!(
            stripped("{\"vocab_files\": [\"a\", \"/data/v\"], \"b\": 2}").0,
            "{\"b\": 2}"
        );
    }

    #[test]
    fn names_relative_files_templates_and_tokens_stay() {
        for text in [
            r#"{"_name_or_path": "Qwen/Qwen2.5-0.5B", "vocab_file": "vocab.json", "x_file": null}"#,
            r#"{"name_or_path": "", "tokenizer_file": "tokenizer.json", "path": "1_Pooling"}"#,
            r#"{"chat_template": "/home/{{ x }}", "pad_token": "/", "eos_token": "/think/"}"#,
            r#"{"base_model_name_or_path": "org/name", "auto_map": {"AutoModel": "o/n--m.py"}}"#,
            "not JSON",
        ] {
            assert_eq!(without_local_paths(text), None, "{text}");
        }
    }

    #[test]
    fn vocabularies_are_not_searched() {
        assert!(is_searched("1_Pooling/config.json", 100));
        for (name, bytes) in [
            ("tokenizer.json", 9),
            ("a/vocab.json", 9),
            ("README.md", 9),
            ("config.json", 1 << 30),
        ] {
            assert!(!is_searched(name, bytes), "{name}");
        }
    }

    #[test]
    fn home_folders_are_found_in_texts() {
        let text = "See /home/kim/models, `C:\\Users\\kim\\m` and (/Users/kim).\n\n--model=/root/m file:///data/m D:/Users/x\n";
        assert_eq!(
            in_prose(text),
            [
                (1, "/home/kim/models"),
                (1, "C:\\Users\\kim\\m"),
                (1, "/Users/kim"),
                (3, "/root/m"),
                (3, "file:///data/m"),
                (3, "D:/Users/x"),
            ]
        );
        for text in [
            "https://example.org/home/kim",
            "in /home/ or ~/.cache",
            "a/Users/b",
            "and/or /data/x",
            "",
        ] {
            assert_eq!(in_prose(text), [], "{text}");
        }
        assert_eq!(in_prose(&"/home/kim\n".repeat(50)).len(), MOST_TOLD);
        for (name, expected) in [
            ("README.md", true),
            ("LICENSE", true),
            ("docs/a.TXT", true),
            ("a.json", false),
            ("merges.txt", false),
        ] {
            assert_eq!(is_prose(name, 9), expected, "{name}");
        }
    }
}

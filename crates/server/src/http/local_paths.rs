//! Errors as clients may read them: with the names of files, without the folders of this machine.

/// A message in which each path is its last part alone.
///
/// Messages come from many places as text, so paths are found by how they begin. A path ends where the message goes on:
/// at a quote, or a colon or comma before a blank.
pub(crate) fn without_folders(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(begin) = path(rest) {
        out.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = ["`", "\"", "'", "\n", ": ", ", ", "; ", ")"]
            .iter()
            .filter_map(|end| rest.find(end))
            .min()
            .unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches(['/', '\\']);
        let name = name.rfind(['/', '\\']).map_or("", |cut| &name[cut + 1..]);
        out.push_str(name);
        rest = &rest[end..];
    }
    out + rest
}

/// Where a path with folders begins: at the text's beginning, behind a blank, or behind an opening quote or bracket.
fn path(text: &str) -> Option<usize> {
    let mut before = ' ';
    for (place, letter) in text.char_indices() {
        let opens = before.is_whitespace() || "`\"'(=".contains(before);
        before = letter;
        if opens && is_path(&text[place..]) {
            return Some(place);
        }
    }
    None
}

fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let on_drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'\\' | b'/'));
    let rooted = bytes.first() == Some(&b'/')
        && bytes
            .get(1)
            .is_some_and(|next| next.is_ascii_alphanumeric() || b"._~-".contains(next));
    rooted
        || on_drive
        || ["./", "../", "~/", "\\\\"]
            .iter()
            .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_names_alone() {
        for (message, expected) in [
            (
                "/home/me/my models/x/config.json: missing; give one",
                "config.json: missing; give one",
            ),
            (
                "failed to open file `/srv/a b/model.safetensors`: No such file or directory",
                "failed to open file `model.safetensors`: No such file or directory",
            ),
            (
                "../x/tokenizer.json: not a tokenizer",
                "tokenizer.json: not a tokenizer",
            ),
            (r"C:\models\x\config.json: missing", "config.json: missing"),
            (
                "/srv/m: neither a folder nor a file",
                "m: neither a folder nor a file",
            ),
            (
                "could not be loaded: /a/b/c.json: missing; /d/e.json asks for it",
                "could not be loaded: c.json: missing; e.json asks for it",
            ),
        ] {
            assert_eq!(without_folders(message), expected);
        }
    }

    #[test]
    fn what_is_no_path_stays() {
        for message in [
            "chat template (chat_template.jinja): `a` is undefined (line 1)",
            "1 / 2 and a/b; text/html, org/name",
            "the template's `//` takes numbers",
            "",
        ] {
            assert_eq!(without_folders(message), message);
        }
    }
}

//! Paragraphs of Markdown as lines of a terminal.

/// The words of a text in lines of at most `width` characters, longer words excepted. At least one line.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

/// Markdown in lines of `width` characters, each indented by two blanks and ended.
///
/// Paragraphs and the items of lists are wrapped; code blocks and tables stay as they are. Marks within a line stay, too.
pub(crate) fn paragraphs(markdown: &str, width: usize) -> String {
    let mut text = String::new();
    for block in blocks(markdown) {
        for line in block.lines(width.saturating_sub(2)) {
            text.push_str(format!("  {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// What is wrapped as one.
#[derive(Debug, PartialEq)]
enum Block {
    /// Words, and the mark before the first of them where they are an item of a list.
    Words { mark: String, text: String },
    /// A line as it is.
    Line(String),
}

impl Block {
    fn lines(&self, width: usize) -> Vec<String> {
        match self {
            Self::Line(line) => vec![line.clone()],
            Self::Words { mark, text } => {
                let indent = mark.chars().count();
                let lines = wrapped(text, width.saturating_sub(indent));
                let lines = lines.into_iter().enumerate();
                lines
                    .map(|(index, line)| match index {
                        0 => format!("{mark}{line}"),
                        _ => format!("{:indent$}{line}", ""),
                    })
                    .collect()
            }
        }
    }
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_code = false;
    for line in markdown.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if is_code || is_fence || line.starts_with('|') || line.trim().is_empty() {
            blocks.push(Block::Line(line.to_owned()));
            continue;
        }
        let mark = mark(line);
        match blocks.last_mut() {
            Some(Block::Words { text, .. }) if mark.is_empty() => {
                text.push('\n');
                text.push_str(line);
            }
            _ => blocks.push(Block::Words {
                mark: mark.to_owned(),
                text: line[mark.len()..].to_owned(),
            }),
        }
    }
    blocks
}

/// The mark of an item of a list with the blanks around it: `- `, `12. `; empty for other lines.
fn mark(line: &str) -> &str {
    let start = line.len() - line.trim_start().len();
    let item = &line[start..];
    let digits = item.len() - item.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let is_item = |mark: &str| item.starts_with(mark);
    let length = if is_item("- ") || is_item("* ") {
        2
    } else if digits > 0 && item[digits..].starts_with(". ") {
        digits + 2
    } else {
        return "";
    };
    &line[..start + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrapped("a bc  def\ng", 4), ["a bc", "def", "g"]);
        assert_eq!(wrapped("much-too-long x", 4), ["much-too-long", "x"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(wrapped("Σ wᵢ·Wᵢ x", 7), ["Σ wᵢ·Wᵢ", "x"]);
    }

    #[test]
    fn paragraphs_lists_and_code_keep_their_form() {
        let markdown =
            "one two\nthree\n\n1. first item\ngoes on\n- dash\n\n```yaml\na:   b c d e f g\n```";
        assert_eq!(
            paragraphs(markdown, 12),
            "  one two\n  three\n\n  1. first\n     item\n     goes on\n  - dash\n\n  ```yaml\n  a:   b c d e f g\n  ```\n"
        );
    }

    #[test]
    fn a_year_is_no_item() {
        assert_eq!(mark("1985.5 is"), "");
        assert_eq!(mark("  12. x"), "  12. ");
    }
}

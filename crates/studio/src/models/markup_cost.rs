//! How much work HTML makes for a parser, told before it is parsed.
//!
//! What HTML becomes can be far larger than its text: every paragraph opens anew the unclosed `<b>` before it, with all their
//! attributes, and every tag looks through the elements that are open. So open elements are counted, by no more than tags that
//! close what was opened last; whatever the parser closes besides only makes less work.

/// Elements that may be open at once.
const DEEPEST: usize = 100;

/// Work that a text may make: a step is an element, or one that is looked through or opened anew for it. Some 200 bytes each.
const MOST_STEPS: usize = 400_000;

/// Characters written as `&amp;` and the like: each is put behind a text that is copied for it.
const MOST_REFERENCES: usize = 50_000;

/// Elements in a table but in no cell of it: each is moved before the table, past all that were moved before.
const MOST_MOVED: usize = 4000;

/// What tables are made of.
const PARTS_OF_TABLES: [&str; 8] = [
    "caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr",
];

/// Elements without an end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Elements that end where the next of their kind begins, or what is around them ends.
const ENDS_BY_ITSELF: [&str; 10] = [
    "dd", "dt", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr",
];

/// Elements in which other rules hold, so that what looks like an end may be none.
const OTHER_RULES: [&str; 14] = [
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "xmp",
];

/// Whether a text makes no more work than a card should.
pub(super) fn is_cheap(html: &str) -> bool {
    if html.matches('&').count() > MOST_REFERENCES {
        return false;
    }
    let mut cost = Cost::default();
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        at += found;
        let rest = &html[at..];
        let next = rest.as_bytes().get(1).copied().unwrap_or(0);
        if rest.starts_with("<!--") {
            cost.hide(at, || rest[4..].find("-->").map(|length| at + 4 + length));
            at += 4;
        } else if matches!(next, b'!' | b'?') {
            cost.hide(at, || rest.find('>').map(|length| at + length));
            at += 2;
        } else if next.is_ascii_alphabetic() {
            let tag = Tag::at(&rest[1..]);
            if !cost.open(&tag, at) {
                return false;
            }
            at += 1 + tag.length;
        } else if next == b'/' && rest.as_bytes().get(2).is_some_and(u8::is_ascii_alphabetic) {
            let tag = Tag::at(&rest[2..]);
            cost.close(&tag, at);
            at += 2 + tag.length;
        } else {
            at += 1;
        }
    }
    true
}

#[derive(Debug, Default)]
struct Cost {
    /// Names and weights of what is open.
    open: Vec<(String, usize)>,
    /// The sum of those weights.
    weight: usize,
    steps: usize,
    /// Where tags close something again.
    closes_from: usize,
    /// Whether what comes is in a cell of the table that is open.
    is_in_cell: bool,
    moved: usize,
}

impl Cost {
    /// Takes the start of an element; false where there are too many.
    fn open(&mut self, tag: &Tag<'_>, at: usize) -> bool {
        let name = tag.name.to_ascii_lowercase();
        let is_part = PARTS_OF_TABLES.contains(&name.as_str());
        if is_part || name == "table" {
            let is_cell = matches!(name.as_str(), "td" | "th" | "caption");
            self.is_in_cell = is_cell && at >= self.closes_from;
        } else if !self.is_in_cell && self.open.iter().any(|(open, _)| open == "table") {
            self.moved += 1;
        }
        // attributes are compared with each other, and copied with their element
        let own = 1 + tag.length / 32 + tag.attributes * tag.attributes / 64;
        self.steps = self.steps.saturating_add(own + self.weight);
        if OTHER_RULES.contains(&name.as_str()) {
            self.closes_from = usize::MAX;
        }
        let stays = !VOID.contains(&name.as_str()) && !ENDS_BY_ITSELF.contains(&name.as_str());
        if stays {
            self.weight += own;
            self.open.push((name, own));
        }
        self.open.len() <= DEEPEST && self.steps <= MOST_STEPS && self.moved <= MOST_MOVED
    }

    fn close(&mut self, tag: &Tag<'_>, at: usize) {
        if ["td", "th", "caption", "table"].contains(&tag.name.to_ascii_lowercase().as_str()) {
            self.is_in_cell = false;
        }
        if at < self.closes_from {
            return;
        }
        if let Some((_, weight)) = self
            .open
            .pop_if(|(name, _)| name.eq_ignore_ascii_case(tag.name))
        {
            self.weight -= weight;
        }
    }

    /// Tags in a comment close nothing. Those that open something count nevertheless: comments end in several ways.
    fn hide(&mut self, from: usize, end: impl FnOnce() -> Option<usize>) {
        // within another one there is nothing to look for
        if from >= self.closes_from {
            self.closes_from = end().unwrap_or(usize::MAX);
        }
    }
}

/// The start or the end of an element, behind its `<` or `</`.
#[derive(Debug, PartialEq, Eq)]
struct Tag<'t> {
    name: &'t str,
    /// Bytes up to the `>` and with it.
    length: usize,
    /// Attributes that it has at most.
    attributes: usize,
}

impl<'t> Tag<'t> {
    /// Reads a tag as <https://html.spec.whatwg.org/multipage/parsing.html#tag-name-state> and the states behind it do.
    fn at(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let is_end = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        let name = bytes
            .iter()
            .position(|byte| is_end(*byte))
            .unwrap_or(bytes.len());
        let mut attributes = 0;
        let mut at = name;
        while let Some(byte) = bytes.get(at).copied() {
            match byte {
                b'>' => {
                    at += 1;
                    break;
                }
                _ if is_end(byte) => at += 1,
                _ => {
                    attributes += 1;
                    at = behind_attribute(bytes, at);
                }
            }
        }
        Self {
            name: &text[..name],
            length: at,
            attributes,
        }
    }
}

/// The place behind an attribute, with its value.
fn behind_attribute(bytes: &[u8], start: usize) -> usize {
    let until = |from: usize, ends: &dyn Fn(u8) -> bool| {
        let length = bytes[from..].iter().position(|byte| ends(*byte));
        length.map_or(bytes.len(), |length| from + length)
    };
    let is_blank = |byte: u8| byte.is_ascii_whitespace();
    // an `=` at the start belongs to the name
    let name = until(start + 1, &|byte| {
        is_blank(byte) || matches!(byte, b'/' | b'>' | b'=')
    });
    let equals = until(name, &|byte| !is_blank(byte));
    if bytes.get(equals) != Some(&b'=') {
        return name;
    }
    let value = until(equals + 1, &|byte| !is_blank(byte));
    match bytes.get(value) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = until(value + 1, &|byte| byte == quote);
            (end + 1).min(bytes.len())
        }
        Some(b'>') | None => value,
        Some(_) => until(value, &|byte| is_blank(byte) || byte == b'>'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> (&str, usize, usize) {
        let tag = Tag::at(text);
        (tag.name, tag.length, tag.attributes)
    }

    #[test]
    fn tags_end_where_a_parser_ends_them() {
        assert_eq!(tag("b>x"), ("b", 2, 0));
        assert_eq!(tag("a href='>' x>y"), ("a", 13, 2));
        assert_eq!(tag("a href = \"a b\"c>"), ("a", 16, 2));
        assert_eq!(tag("img src=a>b"), ("img", 10, 1));
        assert_eq!(tag("br/>"), ("br", 4, 0));
        assert_eq!(tag("a =x>"), ("a", 5, 1));
        assert_eq!(tag("a x=\"open>"), ("a", 10, 1));
    }

    #[test]
    fn ordinary_pages_are_cheap() {
        let row = "<tr><td><b>a</b></td><td><a href=\"https://x\">b</a><br></td></tr>";
        let table = format!(
            "<div align=center><table>{}</table></div>",
            row.repeat(2000)
        );
        assert!(is_cheap(&table));
        assert!(is_cheap(&"<p>a<li>b<!-- </b> -->".repeat(5000)));
        assert!(is_cheap("<script>'</b>'</script><p>a < b && c <3"));
    }

    #[test]
    fn what_stays_open_is_not() {
        assert!(!is_cheap(&"<div>".repeat(101)));
        assert!(!is_cheap(&"<b></i>".repeat(101)));
        // ends that are none
        assert!(!is_cheap(&"<b><!-- </b> -->".repeat(101)));
        assert!(!is_cheap(&"<b><i x='</b>'>".repeat(101)));
        assert!(!is_cheap(&format!("<textarea>{}", "<b></b>".repeat(101))));
        assert!(!is_cheap(&"<b><table><td></b></td></table>".repeat(101)));
        // opened anew by every paragraph
        let open = (0..90)
            .map(|n| format!("<font size={n}>"))
            .collect::<Vec<_>>()
            .concat();
        assert!(!is_cheap(&format!("{open}{}", "<p>".repeat(50_000))));
        assert!(!is_cheap(&format!("<table>{}", "<a>x</a>".repeat(4001))));
        assert!(!is_cheap(&"&amp;".repeat(50_001)));
        let attributes = (0..9000)
            .map(|n| format!(" a{n}"))
            .collect::<Vec<_>>()
            .concat();
        assert!(!is_cheap(&format!("<b{attributes}>")));
    }
}

//! Markdown of somebody as HTML that can do nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::markup_cost::is_cheap;

/// Where what a text mentions is found here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// Addresses of pictures, by the names of their files.
    pub(super) pictures: BTreeMap<String, String>,
    /// Addresses of models' pages, by what the text may call them.
    pub(super) models: BTreeMap<String, String>,
}

/// Where pages of models on the hub are.
const HUB: &str = "https://huggingface.co/";

/// Bytes of a text that is rendered.
pub(super) const LARGEST_CARD: usize = 256 << 10;

/// Block quotes and lists that may stand in each other at the start of a line.
const DEEPEST_BLOCKS: usize = 32;

/// Elements of any kind that may stand in each other.
const DEEPEST: usize = 100;

/// Events of a text: starts and ends of elements, and pieces of text.
const MOST_EVENTS: usize = 100_000;

/// Bytes of HTML that a text may become.
const LARGEST_HTML: usize = 2 << 20;

/// Renders a text and takes out everything that could act: scripts, styles, forms, frames, pictures from elsewhere.
///
/// Gives nothing where that would take long: a text that is large, deeply nested, or makes much of little.
pub(super) fn html(markdown: &str, links: Links) -> Option<String> {
    if markdown.len() > LARGEST_CARD || markdown.lines().any(is_deep) {
        return None;
    }
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let events = mention_models(Parser::new_ext(markdown, options), &links.models)?;
    let mut rendered = String::with_capacity(markdown.len() * 2);
    pulldown_cmark::html::push_html(&mut rendered, events.into_iter());
    if rendered.len() > LARGEST_HTML || !is_cheap(&rendered) {
        return None;
    }
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .add_tag_attributes("code", ["class"])
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |element, attribute, value| {
            attribute_value(&links, element, attribute, value)
        });
    Some(builder.clean(&rendered).to_string())
}

/// A text as it is, for one that is not rendered: its beginning, and why.
pub(super) fn plain(markdown: &str) -> String {
    let end = markdown.floor_char_boundary(LARGEST_PLAIN);
    let mut html =
        "<p>This card is too large or too deeply nested to render. As text:</p><pre>".to_owned();
    for c in markdown[..end].chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c => html.push(c),
        }
    }
    if end < markdown.len() {
        html.push_str("\n…");
    }
    html.push_str("</pre>");
    html
}

/// Bytes of a text that are shown as they are.
const LARGEST_PLAIN: usize = 64 << 10;

/// Whether a line begins with more block quotes and lists in each other than anybody writes.
fn is_deep(line: &str) -> bool {
    let mut rest = line.trim_start();
    for _ in 0..DEEPEST_BLOCKS {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let is_item = |mark: &str| {
            let behind = rest[mark.len()..].chars().next();
            behind.is_none_or(|c| c == ' ' || c == '\t')
        };
        let marker = match rest.as_bytes().get(digits) {
            Some(b'>') if digits == 0 => 1,
            Some(b'-' | b'+' | b'*') if digits == 0 && is_item(&rest[..1]) => 1,
            Some(b'.' | b')') if (1..10).contains(&digits) && is_item(&rest[..=digits]) => {
                digits + 1
            }
            _ => return false,
        };
        rest = rest[marker..].trim_start();
    }
    true
}

/// What an attribute may be here.
fn attribute_value<'a>(
    links: &Links,
    element: &str,
    attribute: &str,
    value: &'a str,
) -> Option<Cow<'a, str>> {
    match (element, attribute) {
        ("img", "src") => {
            let name = value.strip_prefix("./").unwrap_or(value);
            links.pictures.get(name).cloned().map(Cow::Owned)
        }
        ("a", "href") => {
            if let Some(page) = value
                .strip_prefix(HUB)
                .and_then(|name| links.models.get(name.trim_end_matches('/')))
            {
                return Some(Cow::Owned(page.clone()));
            }
            let is_page = links.models.values().any(|page| page == value);
            let is_elsewhere = ["https://", "http://", "mailto:", "#"]
                .iter()
                .any(|start| value.starts_with(start));
            (is_page || is_elsewhere).then_some(Cow::Borrowed(value))
        }
        (_, "href" | "src" | "srcset" | "cite") => None,
        ("code", "class") => value
            .starts_with("language-")
            .then_some(Cow::Borrowed(value)),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Code that is nothing but a known model's name becomes a link to its page. Nothing where there is too much of anything.
fn mention_models<'a>(
    events: impl Iterator<Item = Event<'a>>,
    models: &BTreeMap<String, String>,
) -> Option<Vec<Event<'a>>> {
    let mut linked = Vec::new();
    let (mut depth, mut inside_link) = (0_usize, 0_usize);
    for event in events {
        match &event {
            Event::Start(tag) => {
                depth += 1;
                inside_link += usize::from(matches!(tag, Tag::Link { .. }));
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if *tag == TagEnd::Link {
                    inside_link = inside_link.saturating_sub(1);
                }
            }
            Event::Code(text) if inside_link == 0 => {
                if let Some(page) = models.get(text.as_ref()) {
                    linked.push(Event::Start(Tag::Link {
                        link_type: LinkType::Inline,
                        dest_url: CowStr::from(page.clone()),
                        title: CowStr::Borrowed(""),
                        id: CowStr::Borrowed(""),
                    }));
                    linked.push(event);
                    linked.push(Event::End(TagEnd::Link));
                    continue;
                }
            }
            _ => {}
        }
        if depth > DEEPEST || linked.len() > MOST_EVENTS {
            return None;
        }
        linked.push(event);
    }
    Some(linked)
}

/// The text behind the metadata at the top.
pub(super) fn without_front_matter(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    let Some(rest) = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"))
    else {
        return text;
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == "---" {
            return &rest[at..];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Links {
            pictures: [entry("shares.svg", "/api/models/m/files/shares.svg")].into(),
            models: [
                entry("base", "/models/base"),
                entry("org/base", "/models/org%2Fbase"),
            ]
            .into(),
        }
    }

    #[test]
    fn nothing_that_acts_survives() {
        let text = "# Card\n\n<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n\
            <iframe src='https://evil'></iframe><style>*{}</style><form action=/api/runs><input></form>\n\n\
            [a](javascript:alert(1)) [b](/api/logout) [c](data:text/html,x) <a href=\" java&#10;script:x\">d</a>\n\n\
            <svg onload=alert(1)><a xlink:href='javascript:x'>e</a></svg> <p style='color:red' id=app class=x>f</p>\n\n\
            ![pixel](https://evil/pixel.png) ![up](../../etc/x.png) <object data=x></object><base href=//evil>";
        let html = html(text, links()).expect("a small card");
        for bad in [
            "script",
            "onerror",
            "onload",
            "iframe",
            "<style",
            "<form",
            "<input",
            "javascript",
            "/api/logout",
            "data:",
            "<svg",
            "style=",
            "id=",
            "evil",
            "etc/",
            "<object",
            "<base",
        ] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("<h1>Card</h1>"));
    }

    #[test]
    fn tables_code_and_pictures_of_the_folder_are_shown() {
        let text = "| a | b |\n|---|---|\n| 1 | 2 |\n\n```yaml\nt: 1\n```\n\n![Shares](shares.svg) <img src=\"./shares.svg\">";
        let html = html(text, links()).expect("a small card");
        assert!(html.contains("<td>1</td>"), "{html}");
        assert!(html.contains("<code class=\"language-yaml\">"), "{html}");
        assert_eq!(html.matches("/api/models/m/files/shares.svg").count(), 2);
    }

    #[test]
    fn known_models_are_linked() {
        let text = "- `base`: the base\n- [org/base](https://huggingface.co/org/base) and `other`\n- [`base`](https://x.example)";
        let html = html(text, links()).expect("a small card");
        assert_eq!(html.matches("href=\"/models/base\"").count(), 1, "{html}");
        assert!(html.contains("href=\"/models/org%2Fbase\""), "{html}");
        assert!(html.contains("<code>other</code>"));
        assert!(html.contains("href=\"https://x.example\""));
    }

    #[test]
    fn the_metadata_is_not_shown() {
        assert_eq!(without_front_matter("---\na: 1\n---\n# T\n"), "# T\n");
        assert_eq!(without_front_matter("---\r\na: 1\r\n---\r\nT"), "T");
        assert_eq!(without_front_matter("---\nno end"), "---\nno end");
        assert_eq!(without_front_matter("# T\n---\n"), "# T\n---\n");
    }

    /// Bytes of the bombs below.
    const BOMB: usize = LARGEST_CARD - 1000;

    fn filled(piece: &str) -> String {
        piece.repeat(BOMB / piece.len())
    }

    #[test]
    fn no_card_takes_long() {
        let numbered = |make: &dyn Fn(usize) -> String| -> String {
            let mut text = String::new();
            for number in 0.. {
                let piece = make(number);
                if text.len() + piece.len() > BOMB {
                    break;
                }
                text += &piece;
            }
            text
        };
        let mut bombs: Vec<(String, String)> = [
            "> ",
            ">",
            "- ",
            "1. ",
            "* - + ",
            "<div>",
            "<b>",
            "<p><b>",
            "<a href=x>",
            "&",
            "&amp",
            "&#1;",
            "[",
            "[]",
            "![",
            "[a](",
            "[a]: b\n",
            "[^a]",
            "*",
            "**a ",
            "*a **b ",
            "_a __b ",
            "~~a ",
            "`",
            "`a``",
            "``` \n",
            "<",
            "<!--",
            "<![CDATA[",
            "<?",
            "</a>",
            "<a ",
            "<a x=\"",
            "|",
            "|a|b|\n",
            "a|",
            "\\",
            "\n",
            " \n",
            "    ",
            "\t- a\n",
            "#",
            "# a\n",
            "---\n",
            "a\n\n",
            "http://a ",
            "<table><td>",
            "<svg>",
            "<script>",
            "<textarea>",
            "<li>",
            "<dd><dt>",
            "<h1>",
            "<button>",
            "<form>",
            "<option><p>",
            "<nobr>",
            "</p>",
            "</br>",
            "<br>",
            "<img>",
            "<b></i>",
            "<math><mi>",
            "<!DOCTYPE a>",
            "é",
            "\u{0}",
            "\u{a0}",
        ]
        .into_iter()
        .map(|piece| (piece.to_owned(), filled(piece)))
        .collect();
        let header = format!("{}\n{}\n", "|a".repeat(500), "|-".repeat(500));
        let mut add = |name: &str, text: String| bombs.push((name.to_owned(), text));
        add("table", format!("{header}{}", "|\n".repeat(120_000)));
        add(
            "wide table",
            format!("{}\n{}\n|", "|a".repeat(60_000), "|-".repeat(60_000)),
        );
        add(
            "lists by indentation",
            numbered(&|n| format!("{}- a\n", "  ".repeat(n))),
        );
        add(
            "deep list, blank lines",
            format!("{}\n{}", "- ".repeat(30), "\n".repeat(200_000)),
        );
        add(
            "deep quote, lazy lines",
            format!("{}a\n{}", "> ".repeat(31), "a\n".repeat(100_000)),
        );
        add(
            "fonts and paragraphs",
            format!(
                "{}\n\n{}",
                (0..90)
                    .map(|n| format!("<font size={n}>"))
                    .collect::<Vec<_>>()
                    .concat(),
                "a\n\n".repeat(60_000)
            ),
        );
        add(
            "fonts in a table",
            format!(
                "<table>{}",
                numbered(&|n| format!("<font size={n}>a</font>"))
            ),
        );
        add(
            "text in a table",
            format!("<table>{}", "<a>x</a>".repeat(30_000)),
        );
        add(
            "attributes",
            format!("<b{}>", numbered(&|n| format!(" a{n}=1"))),
        );
        add(
            "references",
            format!(
                "{}\n\n{}",
                numbered(&|n| format!("[r{n}]: /x\n"))[..BOMB / 2].to_owned(),
                "[r1] ".repeat(20_000)
            ),
        );
        add(
            "footnotes",
            numbered(&|n| format!("[^f{n}]\n\n[^f{n}]: a\n\n")),
        );
        add(
            "emphasis in emphasis",
            format!("{}a{}", "*_".repeat(60_000), "_*".repeat(60_000)),
        );
        add(
            "brackets in brackets",
            format!("{}a{}", "[".repeat(100_000), "](b)".repeat(30_000)),
        );
        add("code spans", numbered(&|n| format!("{} ", "`".repeat(n))));
        let mut slow = Vec::new();
        for (name, text) in &bombs {
            let begun = std::time::Instant::now();
            let html = html(text, links());
            let took = begun.elapsed().as_secs_f64();
            assert!(
                html.is_none_or(|html| html.len() <= 2 * LARGEST_HTML),
                "{name}"
            );
            if took > 1.0 {
                slow.push((name, took));
            }
        }
        assert!(slow.is_empty(), "{slow:?}");
        for size in [LARGEST_CARD + 1, 15 << 20] {
            assert_eq!(html(&"a ".repeat(size / 2 + 1), links()), None);
        }
    }

    #[test]
    fn cards_as_people_write_them_are_rendered() {
        let nested = "> - 1. > quote in a list\n>   - item\n\n<details><summary>More</summary>\n\n**bold**\n\n</details>\n\n\
            <div align=\"center\">\n<img src=\"shares.svg\">\n\n# T\n\n</div>\n\n";
        let table = (0..500)
            .map(|n| format!("| task {n} | `a` | **0.{n}** | 1 |\n"))
            .collect::<Vec<_>>()
            .concat();
        let card = format!(
            "{}| a | b | c | d |\n|---|---|---|---|\n{table}",
            nested.repeat(100)
        );
        let html = html(&card, links()).expect("a card like many");
        assert_eq!(html.matches("<td><strong>").count(), 500);
        assert_eq!(html.matches("<details>").count(), 100);
    }

    #[test]
    fn a_text_that_is_not_rendered_is_shown_as_it_is() {
        let html = plain("<script>&");
        assert!(html.ends_with("<pre>&lt;script&gt;&amp;</pre>"), "{html}");
        let html = plain(&"ü".repeat(1 << 20));
        assert!(html.ends_with("ü\n…</pre>") && html.len() < 70_000);
    }
}

//! Markdown of somebody as HTML that can do nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// Where what a text mentions is found here.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    /// Addresses of pictures, by the names of their files.
    pub(super) pictures: BTreeMap<String, String>,
    /// Addresses of models' pages, by what the text may call them.
    pub(super) models: BTreeMap<String, String>,
}

/// Where pages of models on the hub are.
const HUB: &str = "https://huggingface.co/";

/// Renders a text and takes out everything that could act: scripts, styles, forms, frames, pictures from elsewhere.
pub(super) fn html(markdown: &str, links: Links) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let events = mention_models(Parser::new_ext(markdown, options), &links.models);
    let mut rendered = String::with_capacity(markdown.len() * 2);
    pulldown_cmark::html::push_html(&mut rendered, events.into_iter());
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .add_tag_attributes("code", ["class"])
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |element, attribute, value| {
            attribute_value(&links, element, attribute, value)
        });
    builder.clean(&rendered).to_string()
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

/// Code that is nothing but a known model's name becomes a link to its page.
fn mention_models<'a>(
    events: impl Iterator<Item = Event<'a>>,
    models: &BTreeMap<String, String>,
) -> Vec<Event<'a>> {
    let mut linked = Vec::new();
    let mut inside_link = 0_usize;
    for event in events {
        match &event {
            Event::Start(Tag::Link { .. }) => inside_link += 1,
            Event::End(TagEnd::Link) => inside_link = inside_link.saturating_sub(1),
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
        linked.push(event);
    }
    linked
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
        let html = html(text, links());
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
        let html = html(text, links());
        assert!(html.contains("<td>1</td>"), "{html}");
        assert!(html.contains("<code class=\"language-yaml\">"), "{html}");
        assert_eq!(html.matches("/api/models/m/files/shares.svg").count(), 2);
    }

    #[test]
    fn known_models_are_linked() {
        let text = "- `base`: the base\n- [org/base](https://huggingface.co/org/base) and `other`\n- [`base`](https://x.example)";
        let html = html(text, links());
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
}

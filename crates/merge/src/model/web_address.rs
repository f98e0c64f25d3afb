//! Addresses of the Hub's pages, which people copy from a browser.

/// Hosts of the Hub's pages.
const HOSTS: [&str; 3] = ["huggingface.co", "www.huggingface.co", "hf.co"];

/// First parts of the Hub's addresses that are not models.
const OTHERS: [&str; 9] = [
    "datasets",
    "spaces",
    "docs",
    "papers",
    "collections",
    "blog",
    "models",
    "learn",
    "settings",
];

/// What a web address in place of a model's name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WebAddress {
    /// The page of a model, perhaps of one of its revisions.
    Model {
        /// `organization/name`.
        name: String,
        /// Branch, tag or commit.
        revision: Option<String>,
    },
    /// Anything else on the web.
    Other,
}

/// Takes an address apart; nothing for a text that is none.
pub(crate) fn web_address(text: &str) -> Option<WebAddress> {
    let is_address = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let rest = is_address.unwrap_or(text);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !HOSTS.contains(&host.to_ascii_lowercase().as_str()) {
        return is_address.map(|_| WebAddress::Other);
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let name = |organisation: &str, name: &str| format!("{organisation}/{name}");
    Some(match parts[..] {
        [first, ..] if OTHERS.contains(&first) => WebAddress::Other,
        [organisation, model] => WebAddress::Model {
            name: name(organisation, model),
            revision: None,
        },
        [organisation, model, "tree" | "commit", ref revision @ ..] if !revision.is_empty() => {
            let revision = revision.join("/").replace("%2F", "/");
            WebAddress::Model {
                name: name(organisation, model),
                revision: (revision != "main").then_some(revision),
            }
        }
        _ => WebAddress::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> Option<(String, Option<String>)> {
        match web_address(text)? {
            WebAddress::Model { name, revision } => Some((name, revision)),
            WebAddress::Other => None,
        }
    }

    #[test]
    fn pages_of_models_are_their_names() {
        let name = || "org/name".to_owned();
        for text in [
            "https://huggingface.co/org/name",
            "http://huggingface.co/org/name/",
            "huggingface.co/org/name/tree/main",
            "https://hf.co/org/name?library=transformers#files",
        ] {
            assert_eq!(model(text), Some((name(), None)), "{text}");
        }
        let page = "https://huggingface.co/org/name/tree/refs%2Fpr%2F1";
        assert_eq!(model(page), Some((name(), Some("refs/pr/1".into()))));
        let page = "https://huggingface.co/org/name/commit/0123abc";
        assert_eq!(model(page), Some((name(), Some("0123abc".into()))));
    }

    #[test]
    fn other_addresses_are_told_from_names_and_paths() {
        for text in [
            "https://example.org/org/name",
            "https://huggingface.co/org",
            "https://huggingface.co/datasets/org/name",
            "https://huggingface.co/org/name/blob/main/model.safetensors",
        ] {
            assert_eq!(web_address(text), Some(WebAddress::Other), "{text}");
        }
        for text in [
            "org/name",
            "./huggingface.co/a",
            "s3://huggingface.co/a",
            "hf://org/name",
        ] {
            assert_eq!(web_address(text), None, "{text}");
        }
    }
}

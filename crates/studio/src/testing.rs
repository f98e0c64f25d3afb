//! Readers of untrusted text that are private otherwise, for fuzzing.

/// A model card as the page shows it.
pub fn card_html(markdown: &str) -> String {
    crate::models::card_html(markdown)
}

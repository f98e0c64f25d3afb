//! What merges and the hub leave behind and bring along.

use weightsmith::output::Lock;
use weightsmith_report::card::FrontMatter;

/// A recipe.
pub fn recipe(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let parsed = weightsmith::recipe::parse(text, &|_| false);
    for diagnostic in &parsed.diagnostics {
        let _ = diagnostic.to_string();
    }
}

/// A model card: its front matter, and its text as HTML.
pub fn card(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = FrontMatter::find(&text);
    let html = weightsmith_studio::testing::card_html(&text);
    assert!(
        !html.to_ascii_lowercase().contains("<script"),
        "a script survived"
    );
}

/// A lock.
pub fn lock(input: &[u8]) {
    if let Ok(lock) = Lock::parse(input) {
        let text = lock.to_json().expect("a lock is JSON");
        assert!(
            Lock::parse(text.as_bytes()).is_ok(),
            "a lock that is written is read"
        );
    }
}

/// A journal.
pub fn journal(input: &[u8]) {
    let _ = weightsmith::testing::journal_blocks(input);
}

/// A page of a listing.
pub fn listing(input: &[u8]) {
    let _ = weightsmith_hub::testing::listed_files(input);
}

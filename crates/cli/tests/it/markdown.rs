//! The Markdown of this repository wraps at 100 columns.

use std::path::{Path, PathBuf};

const WIDTH: usize = 100;
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Folders with Markdown that is not ours: built files, dependencies, and test inputs.
const SKIPPED: &[&str] = &["target", "node_modules", "corpus"];

#[test]
fn markdown_wraps_at_100_columns() {
    let mut pages = Vec::new();
    find_pages(Path::new(ROOT), &mut pages);
    assert!(pages.len() >= 15, "found {} pages", pages.len());
    let mut long = Vec::new();
    for page in &pages {
        let name = page.strip_prefix(ROOT).expect("a page below the root");
        let text = fs_err::read_to_string(page).expect("Markdown is text");
        let lines = long_lines(&text);
        long.extend(lines.map(|line| format!("{}:{line}", name.display())));
    }
    assert!(
        long.is_empty(),
        "wrap these lines at {WIDTH} columns: {}",
        long.join(", ")
    );
}

fn find_pages(folder: &Path, pages: &mut Vec<PathBuf>) {
    let is_model = folder.join("config.json").exists();
    if is_model {
        return; // such as the output of the README's commands, with a card
    }
    for entry in fs_err::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&&*name) {
            find_pages(&entry.path(), pages);
        } else if kind.is_file() && name.ends_with(".md") {
            pages.push(entry.path());
        }
    }
}

/// The numbers of the lines that are too long. Tables, code blocks, and lines with links may be.
fn long_lines(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut is_fenced = false;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        let is_code = is_fenced || is_fence || line.starts_with("    ");
        let is_exempt = is_code || line.trim_start().starts_with('|') || has_link(line);
        (!is_exempt && line.chars().count() > WIDTH).then_some(number)
    })
}

fn has_link(line: &str) -> bool {
    line.contains("](") || line.contains("http://") || line.contains("https://")
}

#[test]
fn only_tables_code_and_links_may_be_long() {
    let long = "x".repeat(WIDTH + 1);
    let fits = "é".repeat(WIDTH);
    let text = format!(
        "{long}\n{fits}\n| {long} |\n    {long}\n```sh\n{long}\n```\n- {long}\n[{long}](a.md)\n"
    );
    assert_eq!(long_lines(&text).collect::<Vec<_>>(), [1, 8]);
}

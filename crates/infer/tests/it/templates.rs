//! Chat templates beside transformers' own environment: `tests/golden/templates`.

#![allow(
    clippy::default_trait_access,
    reason = "the type of special tokens is of no interest here"
)]

use serde_json::{Map, Value};
use weightsmith_infer::text::SpecialTokens;
use weightsmith_infer::{ChatTemplate, TemplateOptions};

use crate::support::repository;

/// What differs on purpose, and why.
const DIFFERENT: [(&str, &str); 7] = [
    (
        "{{ none[1:] }}",
        "Jinja2 computes constants when it compiles, by other rules; of a variable, it refuses this as we do",
    ),
    (
        "{{ 1 if [1] | items else 2 }}",
        "what Jinja2 makes a generator of fails there only when it is read, and here at once",
    ),
    (
        "{{ self is defined }}",
        "`self` is for inheritance, and there are no other templates",
    ),
    ("{{ 'a' | pprint is string }}", "`pprint` is for debugging"),
    (
        "{{ '\\N{BULLET}' }}",
        "the table of all letters' names is not worth its megabyte",
    ),
    ("{{ -7 ** 2.5 }}", "a complex number"),
    ("{{ 2 ** 2000 }}", "whole numbers have 128 bits"),
];

/// What templates of a file come to, in lines `template`, ours, theirs.
fn differences(name: &str, count: usize) -> Vec<String> {
    let text = fs_err::read_to_string(repository("crates/infer/tests/golden/templates").join(name))
        .unwrap();
    let mut lines = text.lines();
    let head: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let variables: Map<String, Value> = head["variables"].as_object().unwrap().clone();
    let options = TemplateOptions {
        variables,
        now: Some(head["now"].as_str().unwrap().parse().unwrap()),
        ..TemplateOptions::default()
    };
    let cases: Vec<(String, Option<String>)> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(cases.len(), count, "cases in {name}");
    let mut different = Vec::new();
    for (source, expected) in cases {
        let found = ChatTemplate::new(&source, "t", SpecialTokens::default())
            .and_then(|template| template.render(&[], &options));
        if found.as_ref().ok() != expected.as_ref() {
            println!("{source}\n  ours   {found:?}\n  theirs {expected:?}");
            different.push(source);
        }
    }
    different
}

#[test]
fn templates_do_what_they_do_in_transformers() {
    let files = [
        ("containers.jsonl", 245),
        ("filters.jsonl", 946),
        ("formats.jsonl", 641),
        ("literals.jsonl", 87),
        ("operators.jsonl", 1749),
        ("statements.jsonl", 175),
        ("tests.jsonl", 450),
        ("texts.jsonl", 136),
        ("tojson.jsonl", 92),
    ];
    let mut different: Vec<String> = files
        .iter()
        .flat_map(|(name, count)| differences(name, *count))
        .collect();
    different.sort();
    let mut known: Vec<&str> = DIFFERENT.iter().map(|(source, _)| *source).collect();
    known.sort_unstable();
    assert_eq!(different, known);
}

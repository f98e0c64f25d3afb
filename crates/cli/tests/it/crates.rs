//! Which crate of the workspace may depend on which: the edges that ARCHITECTURE.md draws.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every crate of the workspace, with the crates of the workspace that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("weightsmith-tensors", &[]),
    ("weightsmith-methods", &["weightsmith-tensors"]),
    (
        "weightsmith",
        &["weightsmith-methods", "weightsmith-tensors"],
    ),
    (
        "weightsmith-report",
        &["weightsmith", "weightsmith-methods", "weightsmith-tensors"],
    ),
    ("weightsmith-infer", &["weightsmith-tensors"]),
    ("weightsmith-hub", &["weightsmith-tensors"]),
    ("weightsmith-stores", &["weightsmith-tensors"]),
    (
        "weightsmith-session",
        &[
            "weightsmith",
            "weightsmith-hub",
            "weightsmith-infer",
            "weightsmith-report",
            "weightsmith-stores",
            "weightsmith-tensors",
        ],
    ),
    (
        "weightsmith-server",
        &["weightsmith-infer", "weightsmith-tensors"],
    ),
    (
        "weightsmith-studio",
        &[
            "weightsmith",
            "weightsmith-hub",
            "weightsmith-infer",
            "weightsmith-report",
            "weightsmith-server",
            "weightsmith-tensors",
        ],
    ),
    (
        "weightsmith-cli",
        &[
            "weightsmith",
            "weightsmith-hub",
            "weightsmith-infer",
            "weightsmith-report",
            "weightsmith-server",
            "weightsmith-session",
            "weightsmith-studio",
            "weightsmith-tensors",
        ],
    ),
    (
        "weightsmith-fuzz",
        &[
            "weightsmith",
            "weightsmith-hub",
            "weightsmith-infer",
            "weightsmith-report",
            "weightsmith-server",
            "weightsmith-studio",
            "weightsmith-tensors",
        ],
    ),
];

/// All that methods take from elsewhere: nothing that opens a file or a connection.
const OUTSIDE_OF_METHODS: &[&str] = &["libm", "schemars", "serde", "thiserror"];

/// What each crate of the workspace depends on, tests aside.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &serde_json::Value| value["name"].as_str().expect("a name").to_owned();
    let wanted = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().expect("dependencies");
        let all = all.iter().filter(|one| one["kind"] != "dev");
        all.map(name).collect()
    };
    let packages = packages.iter();
    packages
        .map(|package| (name(package), wanted(package)))
        .collect()
}

#[test]
fn crates_depend_on_each_other_along_the_edges_alone() {
    let found = dependencies();
    let listed: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(members, listed, "every crate has its line in the table");
    for (name, allowed) in EDGES {
        let edges = found[*name].iter().map(String::as_str);
        let edges: BTreeSet<&str> = edges.filter(|edge| members.contains(edge)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let forbidden: Vec<_> = edges.difference(&allowed).collect();
        assert!(
            forbidden.is_empty(),
            "{name} must not depend on {forbidden:?}"
        );
    }
}

#[test]
fn the_edges_make_no_circle() {
    // each crate stands after all that it may depend on
    let mut before = BTreeSet::new();
    for (name, allowed) in EDGES {
        for edge in *allowed {
            assert!(before.contains(edge), "{name} stands before {edge}");
        }
        before.insert(*name);
    }
}

#[test]
fn methods_can_do_no_io() {
    let found = dependencies();
    let outside = found["weightsmith-methods"].iter().map(String::as_str);
    let outside: Vec<&str> = outside.filter(|name| !found.contains_key(*name)).collect();
    assert_eq!(outside, OUTSIDE_OF_METHODS);
}

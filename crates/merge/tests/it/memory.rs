//! The memory that merges say they need, and runs within it.

use std::sync::atomic::AtomicBool;

use weightsmith::run::{RunError, Silent};
use weightsmith_tensors::DType;

use crate::family::{Shape, Workshop, weight_files};

/// Embeddings of 2²⁰ + elements in short rows.
fn shape() -> Shape {
    Shape {
        layers: 1,
        hidden: 16,
        vocabulary: 70_001,
        dtype: DType::BF16,
        tied: true,
    }
}

const ROWS: u64 = 70_001;

fn recipe(method: &str, parameters: &str) -> String {
    format!(
        "
models:
  - model: a
base_model: base
merge_method: {method}
dtype: bfloat16
{parameters}"
    )
}

/// Bytes that one thread needs, as the error for a budget of a byte says; with them the merge is the same as with plenty.
fn needed(workshop: &Workshop, recipe: &str) -> u64 {
    let planned = workshop.plan(recipe);
    let run = |out: &str, budget: u64| {
        workshop.run(&planned, out, &Silent, &AtomicBool::new(false), |options| {
            options.max_memory = budget;
            options.threads = 2;
        })
    };
    let needed = match run("little", 1) {
        Err(RunError::Budget { budget: 1, needed }) => needed,
        other => panic!("{other:?}"),
    };
    assert!(!workshop.path("little").exists());
    assert!(matches!(
        run("little", needed - 1),
        Err(RunError::Budget { .. })
    ));
    run("enough", needed).unwrap();
    run("plenty", 1 << 30).unwrap();
    let files = |name| weight_files(&workshop.path(name));
    assert!(files("enough") == files("plenty"));
    for folder in ["enough", "plenty"] {
        fs_err::remove_dir_all(workshop.path(folder)).unwrap();
    }
    needed
}

#[test]
fn what_methods_keep_counts_and_is_enough() {
    let workshop = Workshop::new();
    for (seed, name) in [(0, "base"), (1, "a"), (2, "b")] {
        workshop.model(name, seed, &shape());
    }
    let tiles_alone = needed(&workshop, &recipe("ram", ""));
    let fusion = needed(&workshop, &recipe("arcee_fusion", ""));
    assert!(
        fusion > tiles_alone + 8 * ROWS,
        "a divergence for each row is kept: {fusion} {tiles_alone}"
    );
    let with_two = |parameters| {
        let recipe = recipe("sce", parameters);
        recipe.replace("  - model: a\n", "  - model: a\n  - model: b\n")
    };
    let whole = needed(&workshop, &with_two(""));
    let selecting = needed(&workshop, &with_two("parameters: {select_topk: 0.5}"));
    assert!(
        selecting > whole + (1 << 19),
        "counters of a selection: {selecting} {whole}"
    );
}

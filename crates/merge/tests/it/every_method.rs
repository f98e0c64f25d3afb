//! Every method gives the same bytes for any number of threads and any budget, read in pieces, and after an interruption.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use weightsmith::run::{MergedSource, Reporter, RunError, Silent, require_memory};
use weightsmith_tensors::{Checkpoint, DType, TensorSource};

use crate::family::{Shape, Workshop, weight_files};
use crate::recipes::{Merge, every};

/// Embeddings of little more than 2²⁰ elements: two reduction blocks, and two blocks of the output.
fn medium() -> Shape {
    Shape {
        layers: 1,
        hidden: 259,
        vocabulary: 4099,
        dtype: DType::BF16,
        tied: true,
    }
}

fn family(shape: &Shape) -> Workshop {
    let workshop = Workshop::new();
    for (seed, name) in ["base", "a", "b", "c"].into_iter().enumerate() {
        workshop.model(name, seed as u64, shape);
    }
    workshop
}

/// The weight files of a run.
fn run(
    workshop: &Workshop,
    merge: &Merge,
    threads: usize,
    budget: u64,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let planned = workshop.plan_with(&merge.text(), |options| {
        options.finished = None;
        options.copy_companions = false;
    });
    let never = AtomicBool::new(false);
    workshop.run(&planned, "out", &Silent, &never, |options| {
        options.threads = threads;
        options.max_memory = budget;
        options.force = true;
    })?;
    Ok(weight_files(&workshop.path("out")))
}

/// The least budget with which a merge runs.
fn least_budget(workshop: &Workshop, merge: &Merge) -> u64 {
    let least = match run(workshop, merge, 1, 1) {
        Err(RunError::Budget { needed, .. }) => needed,
        other => panic!("{other:?}"),
    };
    // the plan alone tells the same
    let planned = workshop.plan(&merge.text());
    require_memory(&planned, least).unwrap();
    let refused = require_memory(&planned, least - 1).unwrap_err();
    let is_same = matches!(refused, RunError::Budget { needed, .. } if needed == least);
    assert!(is_same, "{}: {refused}", merge.name());
    least
}

#[test]
fn every_method_writes_the_same_bytes_however_it_is_run() {
    let workshop = family(&medium());
    for (number, merge) in every().into_iter().enumerate() {
        let expected = run(&workshop, &merge, 1, 256 << 20).unwrap();
        assert_pieces(&workshop, &merge);
        assert_resumed(&workshop, &merge, &format!("resumed-{number}"), &expected);
        let least = least_budget(&workshop, &merge);
        assert!(run(&workshop, &merge, 1, least - 1).is_err());
        for (threads, budget) in [(2, least), (7, 256 << 20)] {
            let found = run(&workshop, &merge, threads, budget).unwrap();
            assert!(
                found == expected,
                "{}: {threads} threads, {budget} bytes",
                merge.name()
            );
        }
    }
}

/// With 6.8 million elements, 27 MB of the result.
#[test]
fn tensors_larger_than_the_budget_are_the_same() {
    let large = Shape {
        hidden: 521,
        vocabulary: 13_001,
        ..medium()
    };
    let workshop = family(&large);
    for merge in every() {
        if !["ties", "sce", "arcee_fusion", "karcher"].contains(&merge.method.name) {
            continue;
        }
        let least = least_budget(&workshop, &merge);
        assert!(least < 521 * 13_001 * 4, "{least}");
        let expected = run(&workshop, &merge, 2, 256 << 20).unwrap();
        assert!(
            run(&workshop, &merge, 2, least).unwrap() == expected,
            "{}",
            merge.name()
        );
    }
}

/// Pieces of the unwritten merge are what the run wrote to `out`.
fn assert_pieces(workshop: &Workshop, merge: &Merge) {
    let written = Checkpoint::open(&workshop.path("out")).unwrap();
    let planned = workshop.plan(&merge.text());
    let unwritten = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
    for entry in unwritten.tensors() {
        let tensor = unwritten.find(&entry.name).unwrap();
        let other = written.find(&entry.name).unwrap();
        let elements = entry.info.elements();
        let mut start = 0;
        // pieces of one element, of part of a tile, and of more than a row; from the middle of the tensor as well
        for (step, size) in [1, 777, 2048, 300_007, u64::MAX].into_iter().enumerate() {
            if step == 3 {
                start = elements / 2;
            }
            let range = start..elements.min(start.saturating_add(size));
            let (mut one, mut two) = (Vec::new(), Vec::new());
            let expected = written.read(other, range.clone(), &mut one).unwrap();
            let found = unwritten.read(tensor, range.clone(), &mut two).unwrap();
            assert!(
                expected == found,
                "{}: {} {range:?}",
                merge.name(),
                entry.name
            );
            start = range.end;
        }
    }
}

/// Stops a run after its first block.
struct StopAtOnce<'a> {
    interrupt: &'a AtomicBool,
    blocks: AtomicUsize,
}

impl Reporter for StopAtOnce<'_> {
    fn written(&self, _: u64) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
        self.interrupt.store(true, Ordering::Relaxed);
    }
}

/// A run that stops after its first block and goes on ends with the same bytes.
fn assert_resumed(workshop: &Workshop, merge: &Merge, out: &str, expected: &[(String, Vec<u8>)]) {
    let planned = workshop.plan(&merge.text());
    let interrupt = AtomicBool::new(false);
    let stop = StopAtOnce {
        interrupt: &interrupt,
        blocks: AtomicUsize::new(0),
    };
    let error = workshop
        .run(&planned, out, &stop, &interrupt, |options| {
            options.threads = 1;
        })
        .unwrap_err();
    assert!(matches!(error, RunError::Interrupted), "{error}");
    assert_eq!(stop.blocks.into_inner(), 1);
    let never = AtomicBool::new(false);
    let report = workshop
        .run(&planned, out, &Silent, &never, |_| {})
        .unwrap();
    assert!(report.resumed_bytes > 0);
    assert!(
        weight_files(&workshop.path(out)) == expected,
        "{}",
        merge.name()
    );
}

//! Blocks that are filled in parts.

use std::sync::atomic::AtomicBool;

use weightsmith::plan::Planned;
use weightsmith::run::{BlockId, Preparation, PreparedRun, RunError, RunOptions, Silent, prepare};

use crate::family::{Workshop, weight_files};
use crate::resume::{RECIPE, workshop};

fn options(interrupt: &AtomicBool) -> RunOptions<'_> {
    RunOptions {
        max_memory: 256 << 20,
        threads: 2,
        force: false,
        sync: false,
        allow_non_finite: false,
        fresh: false,
        interrupt,
    }
}

fn prepared<'a>(
    workshop: &Workshop,
    planned: &'a Planned,
    out: &str,
    options: &'a RunOptions<'a>,
) -> Box<PreparedRun<'a>> {
    match prepare(planned, &workshop.path(out), options, &Silent).unwrap() {
        Preparation::Ready(run) => run,
        Preparation::AlreadyThere(report) => panic!("{report:?}"),
    }
}

#[test]
fn a_result_is_the_same_in_whatever_parts_its_blocks_are_filled() {
    let workshop = workshop();
    let whole = workshop.merge(RECIPE, "whole");
    let planned = workshop.plan(RECIPE);
    let never = AtomicBool::new(false);
    let options = options(&never);
    let mut run = prepared(&workshop, &planned, "out", &options);
    let blocks = run.missing().len();
    assert!(blocks > 6, "{blocks}");
    run.fill(&|id: BlockId| id.block % 3 == 1).unwrap();
    let left = run.missing();
    assert!(left.len() < blocks && left.iter().all(|id| id.block % 3 != 1));
    run.fill(&|id: BlockId| id.block == 0).unwrap();
    // what is written already is not written again
    run.fill(&|id: BlockId| id.block <= 1).unwrap();
    run.fill(&|_| true).unwrap();
    assert_eq!(run.missing(), []);
    assert_eq!(run.finish().unwrap().files, whole.files);
    assert_eq!(
        weight_files(&workshop.path("out")),
        weight_files(&workshop.path("whole"))
    );
}

#[test]
fn a_run_whose_blocks_are_not_all_written_is_not_finished() {
    let workshop = workshop();
    let planned = workshop.plan(RECIPE);
    let never = AtomicBool::new(false);
    let options = options(&never);
    let mut run = prepared(&workshop, &planned, "out", &options);
    run.fill(&|id: BlockId| id.block > 0).unwrap();
    let error = run.finish().unwrap_err();
    assert!(matches!(error, RunError::Unfilled { blocks: 1 }), "{error}");
    assert!(!workshop.path("out").exists());
    // what was written is there for whoever goes on
    assert!(workshop.merge(RECIPE, "out").resumed_bytes > 0);
}

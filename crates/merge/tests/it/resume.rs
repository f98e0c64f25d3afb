//! Interrupted runs: nothing half-written appears, and a rerun goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use weightsmith::run::{Reporter, RunError, Silent};
use weightsmith_tensors::DType;

use crate::family::{Shape, Workshop, weight_files};

/// Stops the run after some bytes.
struct StopAfter<'a> {
    limit: u64,
    written: AtomicU64,
    interrupt: &'a AtomicBool,
}

impl Reporter for StopAfter<'_> {
    fn written(&self, bytes: u64) {
        if self.written.fetch_add(bytes, Ordering::Relaxed) + bytes >= self.limit {
            self.interrupt.store(true, Ordering::Relaxed);
        }
    }
}

pub(crate) const RECIPE: &str = "
models:
  - model: a
  - model: b
merge_method: slerp
base_model: a
dtype: bfloat16
parameters: {t: 0.4}
";

pub(crate) fn workshop() -> Workshop {
    let shape = Shape {
        layers: 6,
        hidden: 800,
        vocabulary: 9000,
        dtype: DType::BF16,
        tied: true,
    };
    let workshop = Workshop::new();
    workshop.model("a", 1, &shape);
    workshop.model("b", 2, &shape);
    workshop
}

/// Runs until about 12 MB are written.
fn interrupted(workshop: &Workshop, out: &str) {
    let interrupt = AtomicBool::new(false);
    let stop = StopAfter {
        limit: 12 << 20,
        written: AtomicU64::new(0),
        interrupt: &interrupt,
    };
    let error = workshop
        .run(&workshop.plan(RECIPE), out, &stop, &interrupt, |_| {})
        .unwrap_err();
    assert!(matches!(error, RunError::Interrupted), "{error}");
    assert!(!workshop.path(out).exists());
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped_and_writes_the_same_bytes() {
    let workshop = workshop();
    interrupted(&workshop, "out");
    let report = workshop.merge(RECIPE, "out");
    assert!(report.resumed_bytes >= 12 << 20, "{report:?}");
    let whole = workshop.merge(RECIPE, "whole");
    assert_eq!(whole.resumed_bytes, 0);
    assert_eq!(report.files, whole.files);
    assert_eq!(
        weight_files(&workshop.path("out")),
        weight_files(&workshop.path("whole"))
    );
}

#[test]
fn a_finished_block_that_was_damaged_since_is_written_again() {
    let workshop = workshop();
    interrupted(&workshop, "out");
    let partial = workshop.path(".out.weightsmith-partial/model/model.safetensors");
    let mut bytes = fs_err::read(&partial).unwrap();
    for byte in bytes.iter_mut().step_by(1 << 20) {
        *byte ^= 0x55;
    }
    fs_err::write(&partial, bytes).unwrap();
    let report = workshop.merge(RECIPE, "out");
    assert_eq!(report.resumed_bytes, 0);
    workshop.merge(RECIPE, "whole");
    assert_eq!(
        weight_files(&workshop.path("out")),
        weight_files(&workshop.path("whole"))
    );
}

#[test]
fn an_input_that_changed_since_makes_the_rerun_begin_anew() {
    let workshop = workshop();
    interrupted(&workshop, "out");
    let shape = Shape {
        layers: 6,
        hidden: 800,
        vocabulary: 9000,
        dtype: DType::BF16,
        tied: true,
    };
    workshop.model("b", 3, &shape);
    let report = workshop.merge(RECIPE, "out");
    assert_eq!(report.resumed_bytes, 0);
    workshop.merge(RECIPE, "whole");
    assert_eq!(
        weight_files(&workshop.path("out")),
        weight_files(&workshop.path("whole"))
    );
}

#[test]
fn an_error_in_the_values_leaves_nothing_behind() {
    let workshop = Workshop::new();
    let poison = [(
        "model.extra.weight",
        DType::BF16,
        &[3u64][..],
        vec![1.0, f32::NAN, f32::INFINITY],
    )];
    workshop.model_with("a", 1, &Shape::default(), &poison);
    workshop.model_with("b", 2, &Shape::default(), &poison);
    let planned = workshop.plan(RECIPE);
    let run = |allow: bool| {
        workshop.run(
            &planned,
            "out",
            &Silent,
            &AtomicBool::new(false),
            |options| options.allow_non_finite = allow,
        )
    };
    let error = run(false).unwrap_err();
    assert!(
        matches!(&error, RunError::NonFiniteInput { tensor, model, count: 2 } if tensor == "model.extra.weight" && model == "a"),
        "{error}"
    );
    let left: Vec<_> = fs_err::read_dir(workshop.path(""))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    // the norms of the whole tensor are NaN, so all of it is
    assert_eq!(
        run(true).unwrap().non_finite,
        [("model.extra.weight".to_owned(), 3)]
    );
}

#[test]
fn a_result_that_overflows_its_type_is_an_error_that_names_the_tensor() {
    let workshop = Workshop::new();
    let large = [(
        "model.extra.weight",
        DType::F32,
        &[2u64][..],
        vec![1.0, 70000.0],
    )];
    workshop.model_with("a", 1, &Shape::default(), &large);
    let recipe = "
models: [{model: a, parameters: {weight: 2, normalize: true}}]
merge_method: linear
parameters: {normalize: false}
dtype: float16
";
    let error = workshop
        .run(
            &workshop.plan(recipe),
            "out",
            &Silent,
            &AtomicBool::new(false),
            |_| {},
        )
        .unwrap_err();
    assert!(
        matches!(&error, RunError::Overflow { tensor, dtype: DType::F16, count: 1 } if tensor == "model.extra.weight"),
        "{error}"
    );
    assert!(!workshop.path("out").exists());
}

#[test]
fn a_budget_below_one_worker_is_an_error_that_says_what_is_needed() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let error = workshop
        .run(
            &workshop.plan(RECIPE),
            "out",
            &Silent,
            &AtomicBool::new(false),
            |options| options.max_memory = 1 << 20,
        )
        .unwrap_err();
    assert!(
        matches!(error, RunError::Budget { needed, .. } if needed <= 16 << 20),
        "{error}"
    );
}

#[test]
fn thousands_of_tensors_need_no_large_budget() {
    let workshop = Workshop::new();
    let shape = Shape {
        layers: 2000,
        ..Shape::default()
    };
    workshop.model("a", 1, &shape);
    workshop.model("b", 2, &shape);
    let never = AtomicBool::new(false);
    let planned = workshop.plan(RECIPE);
    workshop
        .run(&planned, "out", &Silent, &never, |options| {
            options.max_memory = 48 << 20;
        })
        .unwrap();
}

/// Merges a small model to `out` with changed options.
fn again(
    workshop: &Workshop,
    change: impl FnOnce(&mut weightsmith::run::RunOptions<'_>),
) -> Result<weightsmith::run::Report, RunError> {
    let never = AtomicBool::new(false);
    workshop.run(&workshop.plan(RECIPE), "out", &Silent, &never, change)
}

fn small_workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    fs_err::write(workshop.path("a/tokenizer.json"), "{}").unwrap();
    workshop
}

#[test]
fn the_same_merge_again_finds_its_result_and_does_nothing() {
    let workshop = small_workshop();
    let first = workshop.merge(RECIPE, "out");
    assert!(!first.already_there);
    let lock = fs_err::read(workshop.path("out/weightsmith.lock.json")).unwrap();
    let second = again(&workshop, |_| {}).unwrap();
    assert!(second.already_there && second.bytes_written == 0);
    assert_eq!(second.files, first.files);
    assert_eq!(
        fs_err::read(workshop.path("out/weightsmith.lock.json")).unwrap(),
        lock
    );
    assert!(
        !again(&workshop, |options| options.force = true)
            .unwrap()
            .already_there
    );
}

#[test]
fn a_result_that_is_not_of_the_same_run_is_not_taken_for_it() {
    let is_refused = |change: &dyn Fn(&Workshop), fresh: bool| {
        let workshop = small_workshop();
        workshop.merge(RECIPE, "out");
        change(&workshop);
        let result = again(&workshop, |options| options.fresh = fresh);
        matches!(result, Err(RunError::OutputExists { .. }))
    };
    assert!(is_refused(&|_| {}, true), "it was to begin anew");
    let damaged = |workshop: &Workshop| {
        fs_err::write(workshop.path("out/model.safetensors"), "half").unwrap();
    };
    assert!(is_refused(&damaged, false), "a file is not whole");
    let lost = |workshop: &Workshop| {
        fs_err::remove_file(workshop.path("out/config.json")).unwrap();
    };
    assert!(is_refused(&lost, false), "a file is missing");
    let tokenizer = |workshop: &Workshop| {
        fs_err::write(workshop.path("a/tokenizer.json"), "{ }").unwrap();
    };
    assert!(
        is_refused(&tokenizer, false),
        "a file that comes along is another"
    );
    let input = |workshop: &Workshop| {
        workshop.model("b", 3, &Shape::default());
    };
    assert!(is_refused(&input, false), "an input is another");
    let card = small_workshop();
    card.merge(RECIPE, "out");
    let planned = card.plan_with(RECIPE, |options| options.finished = None);
    let never = AtomicBool::new(false);
    let result = card.run(&planned, "out", &Silent, &never, |_| {});
    assert!(
        matches!(result, Err(RunError::OutputExists { .. })),
        "{result:?}"
    );
}

#[test]
fn what_a_run_left_beside_its_finished_result_goes_with_the_next_one() {
    let workshop = small_workshop();
    workshop.merge(RECIPE, "out");
    // as a process leaves it that is killed while it removes what it has replaced
    let partial = workshop.path(".out.weightsmith-partial");
    fs_err::create_dir_all(partial.join("model/old")).unwrap();
    fs_err::write(partial.join(".lock"), "").unwrap();
    assert!(again(&workshop, |_| {}).unwrap().already_there);
    assert!(!partial.exists());
    // the journal of another merge, which was to replace the result, stays
    fs_err::create_dir_all(partial.join("model")).unwrap();
    fs_err::write(partial.join(".journal"), "{\"key\":\"other\"}\n").unwrap();
    assert!(again(&workshop, |_| {}).unwrap().already_there);
    assert!(partial.join(".journal").exists());
}

//! Where a result may go, what a failed or changed run leaves, and that nothing else is touched.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use weightsmith::run::{Report, Reporter, RunError, Silent};
use weightsmith_tensors::DType;
use weightsmith_tensors::testing::write_checkpoint;

use crate::family::{Shape, Workshop, numbers, weight_files};

const RECIPE: &str = "
models: [{model: a}, {model: b}]
merge_method: slerp
base_model: a
dtype: bfloat16
parameters: {t: 0.4}
";

fn workshop(shape: &Shape) -> Workshop {
    let workshop = Workshop::new();
    workshop.model("a", 1, shape);
    workshop.model("b", 2, shape);
    workshop
}

/// Blocks of 4 MiB enough to stop between two of them.
fn large() -> Shape {
    Shape {
        layers: 2,
        hidden: 800,
        vocabulary: 9000,
        dtype: DType::BF16,
        tied: true,
    }
}

fn forced(workshop: &Workshop, out: &str) -> Result<Report, RunError> {
    let never = AtomicBool::new(false);
    workshop.run(&workshop.plan(RECIPE), out, &Silent, &never, |options| {
        options.force = true;
    })
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Does something at the first finished block.
struct AtFirstBlock<F: Fn() + Send + Sync> {
    action: F,
    blocks: AtomicUsize,
}

impl<F: Fn() + Send + Sync> AtFirstBlock<F> {
    fn new(action: F) -> Self {
        Self {
            action,
            blocks: AtomicUsize::new(0),
        }
    }
}

impl<F: Fn() + Send + Sync> Reporter for AtFirstBlock<F> {
    fn written(&self, _: u64) {
        if self.blocks.fetch_add(1, Ordering::Relaxed) == 0 {
            (self.action)();
        }
    }
}

/// Stops a run after its first block.
fn interrupted(workshop: &Workshop, recipe: &str, allow_non_finite: bool) {
    let interrupt = AtomicBool::new(false);
    let stop = AtFirstBlock::new(|| interrupt.store(true, Ordering::Relaxed));
    let planned = workshop.plan(recipe);
    let error = workshop
        .run(&planned, "out", &stop, &interrupt, |options| {
            options.threads = 1;
            options.allow_non_finite = allow_non_finite;
        })
        .unwrap_err();
    assert!(matches!(error, RunError::Interrupted), "{error}");
}

#[test]
fn an_output_that_is_an_input_or_holds_or_lies_in_one_is_refused_even_by_force() {
    let workshop = workshop(&Shape::default());
    let before = weight_files(&workshop.path("b"));
    let root = names(&workshop.path(""));
    for out in ["b", "b/", "a/../b", "b/merged", ".", "b/deep/er"] {
        let error = forced(&workshop, out).unwrap_err();
        assert!(matches!(error, RunError::OutputIsInput { .. }), "{error}");
    }
    assert_eq!(weight_files(&workshop.path("b")), before);
    assert_eq!(names(&workshop.path("")), root);
}

#[cfg(unix)]
#[test]
fn links_do_not_hide_that_an_output_holds_an_input() {
    use std::os::unix::fs::symlink;
    let workshop = workshop(&Shape::default());
    symlink("b", workshop.path("link")).unwrap();
    let error = forced(&workshop, "link").unwrap_err();
    assert!(matches!(error, RunError::OutputIsInput { .. }), "{error}");

    // weights that lie elsewhere
    fs_err::create_dir(workshop.path("store")).unwrap();
    let stored = workshop.path("store/weights");
    fs_err::rename(workshop.path("b/model.safetensors"), stored).unwrap();
    let link = workshop.path("b/model.safetensors");
    symlink("../store/weights", link).unwrap();
    let error = forced(&workshop, "store").unwrap_err();
    assert!(matches!(error, RunError::OutputIsInput { .. }), "{error}");
    assert!(workshop.path("store/weights").exists());
}

#[cfg(unix)]
#[test]
fn a_result_behind_a_link_lies_where_the_link_leads() {
    let workshop = workshop(&Shape::default());
    fs_err::create_dir_all(workshop.path("disk/out")).unwrap();
    std::os::unix::fs::symlink("disk/out", workshop.path("link")).unwrap();
    workshop.merge(RECIPE, "link");
    assert!(workshop.path("link").is_symlink());
    assert!(workshop.path("disk/out/model.safetensors").exists());
    assert_eq!(names(&workshop.path("disk")), ["out"]);
}

#[test]
fn the_folder_of_a_single_file_does_not_come_along() {
    let workshop = Workshop::new();
    write_checkpoint(
        &workshop.path("a"),
        &[("x", DType::F32, &[2], vec![1.0, 2.0])],
    )
    .unwrap();
    fs_err::write(workshop.path("a/diary.txt"), "private").unwrap();
    workshop.merge(
        "models: [{model: a/model.safetensors}]\nmerge_method: passthrough",
        "out",
    );
    assert!(!workshop.path("out/diary.txt").exists());
    // beside a config the file is a model's, and the folder the model's
    fs_err::write(workshop.path("a/config.json"), "{}").unwrap();
    fs_err::write(workshop.path("a/tokenizer.json"), "{}").unwrap();
    workshop.merge(
        "models: [{model: a/model.safetensors}]\nmerge_method: passthrough",
        "model",
    );
    assert!(workshop.path("model/tokenizer.json").exists());
}

#[test]
fn an_input_that_changes_during_the_run_is_an_error_and_nothing_appears() {
    let workshop = workshop(&Shape::default());
    let planned = workshop.plan(RECIPE);
    let change = AtFirstBlock::new(|| {
        let path = workshop.path("b/model.safetensors");
        let file = fs_err::OpenOptions::new().append(true).open(path).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        file.file().set_modified(later).unwrap();
    });
    let error = workshop
        .run(&planned, "out", &change, &AtomicBool::new(false), |_| {})
        .unwrap_err();
    assert!(error.to_string().contains("changed while"), "{error}");
    assert_eq!(names(&workshop.path("")), ["a", "b"]);
}

#[test]
fn what_an_earlier_run_allowed_is_not_taken_over_by_one_that_does_not() {
    let workshop = Workshop::new();
    let mut values = numbers(7, 3 << 20, 1.0);
    values[0] = f32::NAN;
    let large = [("model.a", DType::F32, &[3u64 << 20][..], values)];
    workshop.model_with("a", 1, &Shape::default(), &large);
    let recipe = "models: [{model: a}]\nmerge_method: passthrough\n";
    interrupted(&workshop, recipe, true);
    let run = |allow: bool| {
        let planned = workshop.plan(recipe);
        let never = AtomicBool::new(false);
        workshop.run(&planned, "out", &Silent, &never, |options| {
            options.allow_non_finite = allow;
        })
    };
    let error = run(false).unwrap_err();
    assert!(matches!(error, RunError::NonFiniteInput { .. }), "{error}");
    interrupted(&workshop, recipe, true);
    let report = run(true).unwrap();
    assert!(report.resumed_bytes > 0);
    assert_eq!(report.non_finite, [("model.a".to_owned(), 1)]);
}

#[test]
fn files_of_an_interrupted_run_with_other_options_do_not_reach_the_result() {
    let workshop = workshop(&large());
    interrupted(&workshop, RECIPE, false);
    let partial = workshop.path(".out.weightsmith-partial");
    fs_err::write(partial.join("README.md"), "older card").unwrap();
    let partial = partial.join("model");
    fs_err::write(partial.join("README.md"), "old card").unwrap();
    fs_err::create_dir(partial.join("1_Pooling")).unwrap();
    let planned = workshop.plan_with(RECIPE, |options| options.finished = None);
    let never = AtomicBool::new(false);
    let report = workshop
        .run(&planned, "out", &Silent, &never, |_| {})
        .unwrap();
    assert!(report.resumed_bytes > 0);
    assert_eq!(
        names(&workshop.path("out")),
        [
            "config.json",
            "mergekit_config.yml",
            "model.safetensors",
            "weightsmith.lock.json"
        ]
    );
}

#[test]
fn a_rerun_that_cannot_begin_keeps_what_the_first_run_did() {
    let workshop = workshop(&large());
    interrupted(&workshop, RECIPE, false);
    let weights = workshop.path(".out.weightsmith-partial/model/model.safetensors");
    let aside = workshop.path("aside");
    fs_err::rename(&weights, &aside).unwrap();
    fs_err::create_dir(&weights).unwrap();
    let never = AtomicBool::new(false);
    let again = || workshop.run(&workshop.plan(RECIPE), "out", &Silent, &never, |_| {});
    assert!(matches!(again().unwrap_err(), RunError::Io(_)));
    fs_err::remove_dir(&weights).unwrap();
    fs_err::rename(&aside, &weights).unwrap();
    assert!(again().unwrap().resumed_bytes > 0);
}

#[test]
fn an_error_after_the_weights_keeps_them_for_the_next_run() {
    let workshop = workshop(&large());
    fs_err::write(workshop.path("a/tokenizer.json"), "{}").unwrap();
    let planned = workshop.plan(RECIPE);
    let lose = AtFirstBlock::new(|| {
        fs_err::remove_file(workshop.path("a/tokenizer.json")).unwrap();
    });
    let never = AtomicBool::new(false);
    let error = workshop
        .run(&planned, "out", &lose, &never, |_| {})
        .unwrap_err();
    assert!(matches!(error, RunError::Io(_)), "{error}");
    assert!(!workshop.path("out").exists());
    let report = workshop.merge(RECIPE, "out");
    assert_eq!(report.resumed_bytes, report.bytes_written);
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_of_many_files_needs_few_open_ones() {
    /// The most files below a folder that were open at once.
    struct OpenFiles {
        folder: std::path::PathBuf,
        most: AtomicU64,
    }

    impl Reporter for OpenFiles {
        fn written(&self, _: u64) {
            let open = fs_err::read_dir("/proc/self/fd").unwrap().filter(|entry| {
                let path = entry.as_ref().unwrap().path();
                let target = fs_err::read_link(path);
                target.is_ok_and(|target| {
                    target.starts_with(&self.folder)
                        && target.extension().is_some_and(|e| e == "safetensors")
                })
            });
            self.most.fetch_max(open.count() as u64, Ordering::Relaxed);
        }
    }

    let workshop = workshop(&Shape::default());
    let parsed = weightsmith::recipe::parse(RECIPE, &|path| workshop.path(path).exists());
    let options = weightsmith::plan::PlanOptions {
        shard_size: Some(1),
        ..workshop.plan_options()
    };
    let planned = weightsmith::plan::build(&parsed.recipes[0], &options).unwrap();
    assert_eq!(planned.plan.layout.shards().len(), 14);
    let reporter = OpenFiles {
        folder: workshop
            .path(".out.weightsmith-partial")
            .canonicalize()
            .unwrap_or_else(|_| {
                let root = workshop.path("").canonicalize().unwrap();
                root.join(".out.weightsmith-partial")
            }),
        most: AtomicU64::new(0),
    };
    workshop
        .run(&planned, "out", &reporter, &AtomicBool::new(false), |_| {})
        .unwrap();
    let most = reporter.most.into_inner();
    assert!(most <= 2, "{most} files were open at once");
}

#[test]
fn a_nan_that_spoils_a_tensor_through_its_statistics_is_found_in_its_input() {
    let workshop = Workshop::new();
    // two blocks of the result: the first that is written has only sound neighbours
    let count = 3 << 20;
    let further = |values: Vec<f32>| [("model.a", DType::F32, &[3u64 << 20][..], values)];
    workshop.model_with("a", 1, &Shape::default(), &further(numbers(1, count, 1.0)));
    let mut values = numbers(2, count, 1.0);
    values[(3 << 20) - 1] = f32::NAN;
    workshop.model_with("b", 2, &Shape::default(), &further(values));
    let planned = workshop.plan(RECIPE);
    let never = AtomicBool::new(false);
    let error = workshop
        .run(&planned, "out", &Silent, &never, |options| {
            options.threads = 1;
        })
        .unwrap_err();
    assert!(
        matches!(&error, RunError::NonFiniteInput { model, tensor, count: 1 } if model == "b" && tensor == "model.a"),
        "{error}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_model_at_a_path_that_is_not_utf8_is_merged_and_resumed_by_its_own_files() {
    use std::os::unix::ffi::OsStrExt;
    let workshop = workshop(&large());
    let folder = workshop
        .path("")
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs_err::create_dir(&folder).unwrap();
    for model in ["a", "b"] {
        fs_err::rename(workshop.path(model), folder.join(model)).unwrap();
    }
    let plan = |t: &str| {
        let recipe = RECIPE.replace("0.4", t);
        let parsed = weightsmith::recipe::parse(&recipe, &|path| folder.join(path).exists());
        let mut options = workshop.plan_options();
        options.locate.current_dir.clone_from(&folder);
        weightsmith::plan::build(&parsed.recipes[0], &options).unwrap()
    };
    let interrupt = AtomicBool::new(false);
    let stop = AtFirstBlock::new(|| interrupt.store(true, Ordering::Relaxed));
    workshop
        .run(&plan("0.4"), "out", &stop, &interrupt, |_| {})
        .unwrap_err();
    let never = AtomicBool::new(false);
    let report = workshop
        .run(&plan("0.6"), "out", &Silent, &never, |_| {})
        .unwrap();
    assert_eq!(report.resumed_bytes, 0);
}

//! Inputs that are cut off, written to or replaced while they are read.
#![cfg(unix)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use weightsmith::run::{MergedSource, Reporter, RunError, Silent};
use weightsmith_tensors::{Error, TensorSource};

use crate::family::{Shape, Workshop};
use crate::recipes::every;
use crate::resume;

fn cut(file: &Path, size: u64) {
    let file = fs_err::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(size).unwrap();
}

fn is_shortened(error: &Error, file: &Path) -> bool {
    matches!(error, Error::Shortened { path, .. } if path == file)
}

/// Names of all that is in the workshop's folder.
fn names(workshop: &Workshop) -> Vec<String> {
    let entries = fs_err::read_dir(workshop.path("")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_method_names_an_input_that_is_cut_before_it_is_read() {
    let never = AtomicBool::new(false);
    let shape = Shape {
        layers: 1,
        ..Shape::default()
    };
    for merge in every() {
        let workshop = Workshop::new();
        for (seed, name) in ["base", "a", "b", "c"].into_iter().enumerate() {
            workshop.model(name, seed as u64, &shape);
        }
        let inputs = names(&workshop).len();
        let planned = workshop.plan(&merge.text());
        let weights = workshop.path(merge.models[0]).join("model.safetensors");
        cut(&weights, 0);
        let error = workshop
            .run(&planned, "out", &Silent, &never, |options| {
                options.allow_non_finite = true;
            })
            .unwrap_err();
        assert!(
            matches!(&error, RunError::Tensors(error) if is_shortened(error, &weights)),
            "{}: {error}",
            merge.name()
        );
        assert_eq!(names(&workshop).len(), inputs, "{}", merge.name());

        let source = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
        let source = source.allow_non_finite(true);
        let mut scratch = Vec::new();
        let elements = source.tensors()[0].info.elements();
        let error = source.read(0, 0..elements, &mut scratch).unwrap_err();
        assert!(is_shortened(&error, &weights), "{}: {error}", merge.name());
    }
}

/// Does something to an input after the first block.
struct AtFirstBlock<F: Fn() + Send + Sync> {
    action: F,
    blocks: AtomicUsize,
}

impl<F: Fn() + Send + Sync> Reporter for AtFirstBlock<F> {
    fn written(&self, _: u64) {
        if self.blocks.fetch_add(1, Ordering::Relaxed) == 0 {
            (self.action)();
        }
    }
}

fn change_at_first_block(change: impl Fn(&Path) + Send + Sync) -> RunError {
    let workshop = resume::workshop();
    let weights = workshop.path("b/model.safetensors");
    let planned = workshop.plan(resume::RECIPE);
    let reporter = AtFirstBlock {
        action: || change(&weights),
        blocks: AtomicUsize::new(0),
    };
    let error = workshop
        .run(&planned, "out", &reporter, &AtomicBool::new(false), |_| {})
        .unwrap_err();
    let mut left = names(&workshop);
    left.sort();
    assert_eq!(left, ["a", "b"]);
    error
}

#[test]
fn an_input_that_is_cut_during_the_run_ends_it_and_leaves_nothing() {
    let error = change_at_first_block(|weights| cut(weights, 4096));
    let text = error.to_string();
    assert!(
        matches!(
            error,
            RunError::Tensors(Error::Shortened { found: 4096, .. })
        ),
        "{text}"
    );
    assert!(text.contains("b/model.safetensors: shrank while it was read: "));
    assert!(text.ends_with("bytes when opened, now 4096"), "{text}");
}

#[test]
fn an_input_that_grows_is_replaced_or_written_to_ends_the_run() {
    let grown = change_at_first_block(|weights| {
        let size = fs_err::metadata(weights).unwrap().len();
        cut(weights, size + 1);
    });
    let replaced = change_at_first_block(|weights| {
        let copy = weights.with_extension("new");
        fs_err::copy(weights, &copy).unwrap();
        fs_err::rename(copy, weights).unwrap();
    });
    let written = change_at_first_block(|weights| {
        let file = fs_err::OpenOptions::new().write(true).open(weights);
        file.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    });
    for error in [grown, replaced, written] {
        assert!(
            matches!(error, RunError::Tensors(Error::Changed { .. })),
            "{error}"
        );
    }
    let deleted = change_at_first_block(|weights| {
        fs_err::remove_file(weights).unwrap();
    });
    assert!(
        deleted.to_string().contains("b/model.safetensors"),
        "{deleted}"
    );
}

use std::sync::atomic::AtomicBool;

use weightsmith_tensors::testing::{TestTensor, write_checkpoint};
use weightsmith_tensors::{Checkpoint, DType};

use super::*;
use weightsmith::run::Silent;

fn model(tensors: &[TestTensor<'_>]) -> (tempfile::TempDir, Checkpoint) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_checkpoint(folder.path(), tensors).expect("written");
    let checkpoint = Checkpoint::open(folder.path()).expect("sound");
    (folder, checkpoint)
}

fn compare_with(
    a: &Checkpoint,
    b: &Checkpoint,
    base: Option<&Checkpoint>,
    threads: usize,
) -> Difference {
    let interrupt = AtomicBool::new(false);
    let options = DiffOptions {
        threads,
        interrupt: &interrupt,
    };
    let base = base.map(|base| base as &dyn weightsmith_tensors::TensorSource);
    diff(a, b, base, &options, &Silent).expect("both can be read")
}

fn compare(a: &[TestTensor<'_>], b: &[TestTensor<'_>]) -> Difference {
    compare_with(&model(a).1, &model(b).1, None, 1)
}

fn find<'a>(difference: &'a Difference, name: &str) -> &'a TensorDifference {
    difference
        .tensors
        .iter()
        .find(|tensor| tensor.name == name)
        .expect("listed")
}

#[test]
fn a_model_is_the_same_as_itself() {
    let tensors = [
        ("w", DType::BF16, &[2, 2][..], vec![1.0, 2.0, 3.0, 4.0]),
        ("n", DType::I64, &[1], vec![7.0]),
    ];
    let difference = compare(&tensors, &tensors);
    assert!(difference.summary.same);
    assert_eq!(difference.summary.tensors_same, 2);
    assert_eq!(difference.summary.measures.changed, 0);
    assert_eq!(
        find(&difference, "w")
            .measures
            .and_then(|measures| measures.cosine),
        Some(1.0)
    );
}

#[test]
fn every_way_to_differ_has_its_name() {
    let a = [
        ("gone", DType::F32, &[1][..], vec![1.0]),
        ("shape", DType::F32, &[2, 1], vec![1.0, 2.0]),
        ("type", DType::F32, &[2], vec![1.0, 2.0]),
        ("values", DType::F32, &[2], vec![3.0, 4.0]),
        ("count", DType::I32, &[2], vec![1.0, 2.0]),
    ];
    let b = [
        ("new", DType::F32, &[1][..], vec![1.0]),
        ("shape", DType::F32, &[1, 2], vec![1.0, 2.0]),
        ("type", DType::BF16, &[2], vec![1.0, 2.0]),
        ("values", DType::F32, &[2], vec![3.0, 9.0]),
        ("count", DType::I32, &[2], vec![1.0, 3.0]),
    ];
    let difference = compare(&a, &b);
    let states = ["gone", "shape", "type", "values", "count", "new"]
        .map(|name| find(&difference, name).state);
    assert_eq!(
        states,
        [
            State::OnlyInA,
            State::ShapeDiffers,
            State::TypeDiffers,
            State::Different,
            State::Different,
            State::OnlyInB
        ]
    );
    let values = find(&difference, "values").measures.expect("one shape");
    assert_eq!((values.changed, values.changed_share), (1, 0.5));
    // (3, 4) has length 5, and so has the difference (0, 5)
    assert_eq!(
        (values.max_difference, values.relative_difference),
        (Some(5.0), Some(1.0))
    );
    let count = find(&difference, "count").measures.expect("one shape");
    assert_eq!((count.changed, count.max_difference), (1, None));
    assert_eq!(
        find(&difference, "type")
            .measures
            .expect("one shape")
            .changed,
        0
    );
    assert_eq!(find(&difference, "shape").measures, None);
    assert!(!difference.summary.same);
}

#[test]
fn numbers_do_not_depend_on_threads_or_blocks() {
    let values = |seed: u32, count: u32| -> Vec<f32> {
        (0..count)
            .map(|index| ((index.wrapping_mul(2_654_435_761) ^ seed) >> 8) as f32 / 8e6 - 1.0)
            .collect()
    };
    let large = (1 << 20) + 4097;
    let build = |seed| {
        model(&[
            (
                "model.layers.0.a.weight",
                DType::F32,
                &[1, u64::from(large)][..],
                values(seed, large),
            ),
            (
                "model.layers.1.a.weight",
                DType::BF16,
                &[3],
                values(seed, 3),
            ),
        ])
    };
    let (a, b, base) = (build(1), build(77), build(5));
    let one = compare_with(&a.1, &b.1, Some(&base.1), 1);
    assert_eq!(one, compare_with(&a.1, &b.1, Some(&base.1), 7));
    let first = find(&one, "model.layers.0.a.weight")
        .measures
        .expect("one shape");
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        values(1, large)
            .iter()
            .zip(values(77, large))
            .map(|(a, b)| f(f64::from(*a), f64::from(b)))
            .sum()
    };
    let expected = sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    let cosine = first.cosine.expect("neither is zero");
    assert!((cosine - expected).abs() < 1e-12, "{cosine} {expected}");
    assert_eq!(first.elements, u64::from(large));
}

#[test]
fn layers_and_kinds_are_summed_up() {
    let tensors = |value: f32| {
        [
            (
                "model.embed_tokens.weight",
                DType::F32,
                &[1, 1][..],
                vec![1.0],
            ),
            ("model.layers.0.a.weight", DType::F32, &[1, 1], vec![1.0]),
            ("model.layers.1.a.weight", DType::F32, &[1, 1], vec![value]),
        ]
    };
    let difference = compare(&tensors(1.0), &tensors(2.0));
    let groups = |groups: &[Group]| -> Vec<(String, usize, usize)> {
        groups
            .iter()
            .map(|group| (group.name.clone(), group.tensors, group.same))
            .collect()
    };
    assert_eq!(
        groups(&difference.layers),
        [
            ("layer 0".to_owned(), 1, 1),
            ("layer 1".to_owned(), 1, 0),
            ("outside the layers".to_owned(), 1, 1)
        ]
    );
    assert_eq!(
        groups(&difference.kinds),
        [
            ("model.embed_tokens.weight".to_owned(), 1, 1),
            ("a.weight".to_owned(), 2, 1)
        ]
    );
}

#[test]
fn strangers_are_recognised_by_their_matrices_alone() {
    let tensors = |values: Vec<f32>| {
        [
            ("norm", DType::F32, &[2][..], vec![100.0, 100.0]),
            ("w", DType::F32, &[1, 4], values),
        ]
    };
    let strangers = compare(
        &tensors(vec![1.0, 1.0, 1.0, 1.0]),
        &tensors(vec![1.0, -1.0, 1.0, -1.0]),
    );
    assert_eq!(
        strangers.summary.kinship,
        Some(Kinship {
            cosine: 0.0,
            siblings: false
        })
    );
    let siblings = compare(&tensors(vec![1.0; 4]), &tensors(vec![1.0, 1.0, 1.0, 0.9]));
    assert!(
        siblings
            .summary
            .kinship
            .is_some_and(|kinship| kinship.siblings)
    );
}

#[test]
fn an_interrupt_stops_it() {
    let (_folder, a) = model(&[("w", DType::F32, &[1], vec![1.0])]);
    let interrupt = AtomicBool::new(true);
    let options = DiffOptions {
        threads: 2,
        interrupt: &interrupt,
    };
    assert!(matches!(
        diff(&a, &a, None, &options, &Silent),
        Err(DiffError::Interrupted)
    ));
}

#[cfg(unix)]
#[test]
fn a_model_that_is_cut_or_written_to_meanwhile_gives_no_numbers() {
    let tensors = [("w", DType::BF16, &[2, 2][..], vec![1.0, 2.0, 3.0, 4.0])];
    let interrupt = AtomicBool::new(false);
    let options = DiffOptions {
        threads: 1,
        interrupt: &interrupt,
    };
    let compare_changed = |change: &dyn Fn(fs_err::File)| {
        let (_a_folder, a) = model(&tensors);
        let (folder, b) = model(&tensors);
        let weights = folder.path().join("model.safetensors");
        change(
            fs_err::OpenOptions::new()
                .write(true)
                .open(weights)
                .unwrap(),
        );
        diff(&a, &b, None, &options, &Silent).unwrap_err()
    };
    let cut = compare_changed(&|file| file.set_len(0).unwrap());
    assert!(
        matches!(
            &cut,
            DiffError::Read { tensor, source: weightsmith_tensors::Error::Shortened { found: 0, .. } }
            if tensor == "w"
        ),
        "{cut}"
    );
    let written = compare_changed(&|file| file.set_modified(std::time::UNIX_EPOCH).unwrap());
    assert!(
        matches!(
            written,
            DiffError::Changed(weightsmith_tensors::Error::Changed { .. })
        ),
        "{written}"
    );
}

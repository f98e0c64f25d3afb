//! The same bytes for any number of threads, any budget, any shard size, and unwritten.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use weightsmith::run::{MergedSource, Silent};
use weightsmith_tensors::{DType, TensorSource};

use crate::family::{Shape, Workshop, weight_files};

/// Embeddings of 2²² + elements: several hash blocks, several reduction blocks, none of them full at the end.
fn large() -> Shape {
    Shape {
        layers: 2,
        hidden: 520,
        vocabulary: 8111,
        dtype: DType::BF16,
        tied: true,
    }
}

const SLERP: &str = "
models:
  - model: a
  - model: b
merge_method: slerp
base_model: b
dtype: bfloat16
parameters:
  t: [0.3, 0.7]
";

/// With sums for each column.
const NUSLERP: &str = "
models:
  - {model: a, parameters: {weight: 0.3}}
  - {model: b, parameters: {weight: 0.5}}
merge_method: nuslerp
dtype: bfloat16
parameters:
  nuslerp_flatten: false
  nuslerp_row_wise: true
";

/// With a search for a threshold.
const SCE: &str = "
models:
  - model: a
  - model: b
merge_method: sce
base_model: base
dtype: bfloat16
parameters:
  select_topk: 0.4
";

/// With numbers for each row, and a search for several thresholds.
const FUSION: &str = "
models:
  - model: a
merge_method: arcee_fusion
base_model: base
dtype: bfloat16
";

#[test]
fn threads_and_budgets_do_not_change_a_byte() {
    for (recipe, least) in [
        (SLERP, 10 << 20),
        (NUSLERP, 10 << 20),
        (SCE, 16 << 20),
        (FUSION, 24 << 20),
    ] {
        same_bytes_whatever_threads_and_budget(recipe, least);
    }
}

fn same_bytes_whatever_threads_and_budget(recipe: &str, least: u64) {
    let workshop = Workshop::new();
    workshop.model("a", 1, &large());
    workshop.model("b", 2, &large());
    workshop.model("base", 0, &large());
    let planned = workshop.plan(recipe);
    let mut results = Vec::new();
    for (threads, budget) in [
        (1, 256 << 20),
        (2, 256 << 20),
        (7, 256 << 20),
        (7, least + (6 << 20)),
        (2, least),
    ] {
        let out = format!("out-{threads}-{budget}");
        workshop
            .run(
                &planned,
                &out,
                &Silent,
                &AtomicBool::new(false),
                |options| {
                    options.threads = threads;
                    options.max_memory = budget;
                },
            )
            .unwrap();
        results.push(weight_files(&workshop.path(&out)));
    }
    assert_eq!(results[0].len(), 1);
    assert!(
        results.iter().all(|result| *result == results[0]),
        "some configuration wrote other bytes"
    );
}

#[test]
fn an_unwritten_merge_reads_as_the_bytes_that_a_run_writes() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &large());
    workshop.model("b", 2, &large());
    let planned = workshop.plan(SLERP);
    workshop.merge(SLERP, "out");
    let written = weightsmith_tensors::Checkpoint::open(&workshop.path("out")).unwrap();
    let unwritten = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
    assert_eq!(unwritten.tensors().len(), written.tensors().len());
    for entry in unwritten.tensors() {
        let tensor = unwritten.find(&entry.name).unwrap();
        let other = written.find(&entry.name).unwrap();
        let elements = entry.info.elements();
        // whole, and in ranges that begin and end in the middle of rows, tiles and blocks
        let ranges: Vec<Range<u64>> = vec![
            0..elements,
            elements / 3..elements / 2 + 1,
            elements - 1..elements,
            0..0,
        ];
        for range in ranges {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            let expected = written.read(other, range.clone(), &mut one).unwrap();
            let found = unwritten.read(tensor, range.clone(), &mut two).unwrap();
            assert!(expected == found, "{} {range:?}", entry.name);
        }
    }
}

#[test]
fn shards_hold_the_same_tensors_as_one_file() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    workshop.merge(SLERP, "whole");
    let parsed = weightsmith::recipe::parse(SLERP, &|path| workshop.path(path).exists());
    let options = weightsmith::plan::PlanOptions {
        shard_size: Some(500),
        ..workshop.plan_options()
    };
    let planned = weightsmith::plan::build(&parsed.recipes[0], &options).unwrap();
    workshop
        .run(&planned, "shards", &Silent, &AtomicBool::new(false), |_| {})
        .unwrap();
    assert!(weight_files(&workshop.path("shards")).len() > 2);
    assert!(
        workshop
            .path("shards/model.safetensors.index.json")
            .exists()
    );
    for tensor in &planned.plan.tensors {
        assert_eq!(
            workshop.values("whole", &tensor.name),
            workshop.values("shards", &tensor.name)
        );
    }
}

#[test]
fn a_plan_survives_being_written_as_json() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let plan = workshop.plan(SLERP).plan;
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(
        serde_json::from_str::<weightsmith::plan::Plan>(&text).unwrap(),
        plan
    );
    assert_eq!(workshop.plan(SLERP).plan, plan);
}

#[test]
fn the_weights_are_the_file_that_the_safetensors_crate_would_write() {
    use safetensors::tensor::TensorView;

    let workshop = Workshop::new();
    let buffer = [(
        "model.position_ids",
        DType::I64,
        &[3u64][..],
        vec![0.0, 1.0, 2.0],
    )];
    workshop.model_with("a", 1, &Shape::default(), &buffer);
    workshop.model_with("b", 2, &Shape::default(), &buffer);
    workshop.merge(&SLERP.replace("dtype: bfloat16", "dtype: float16"), "out");
    let written = fs_err::read(workshop.path("out/model.safetensors")).unwrap();
    let parsed = safetensors::SafeTensors::deserialize(&written).unwrap();
    let tensors: Vec<(String, TensorView<'_>)> = parsed.tensors();
    assert_eq!(tensors.len(), 15);
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    assert!(safetensors::serialize(tensors, Some(metadata)).unwrap() == written);
}

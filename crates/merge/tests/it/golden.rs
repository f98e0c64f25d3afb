//! Our results against mergekit's, from the files in `tests/golden` (their README says how they were made).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use weightsmith::plan::{Operation, PlanOptions, Planned, Value, build};
use weightsmith::recipe::parse;
use weightsmith::run::MergedSource;
use weightsmith_tensors::{Checkpoint, DType, TensorSource};

use crate::family::{Workshop, values};
use crate::oracle::{Expected, assert_within, linear, slerp};

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    inputs: Vec<String>,
    base: Option<usize>,
    parameters: serde_json::Map<String, serde_json::Value>,
    input_parameters: Vec<serde_json::Map<String, serde_json::Value>>,
    /// Why the peer's value is not the formula's, which stands beside it.
    deviates: Option<String>,
    /// Whether elements hang on a choice among equal magnitudes.
    #[serde(default)]
    ties: bool,
    /// Whether the case is not to be compared.
    #[serde(default)]
    information: bool,
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every golden file of tensors: its stem, and what is in it.
fn golden_files() -> Vec<(String, Checkpoint)> {
    let mut files: Vec<PathBuf> = fs_err::read_dir(golden_folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "safetensors")
        })
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                Checkpoint::open(&path).unwrap(),
            )
        })
        .collect()
}

fn metadata(file: &Checkpoint, key: &str) -> String {
    let metadata = &file.files()[0].metadata;
    metadata
        .iter()
        .find(|(name, _)| name == key)
        .unwrap_or_else(|| panic!("no {key}"))
        .1
        .clone()
}

/// Puts the inputs of a case into models of one tensor each, merges them, and reads the result.
fn merged(file: &Checkpoint, method: &str, dtype: &str, case: &Case) -> Vec<f64> {
    let workshop = Workshop::new();
    for (position, input) in case.inputs.iter().enumerate() {
        let index = file.find(input).unwrap();
        let info = &file.tensors()[index].info;
        let mut scratch = Vec::new();
        let bytes = file.read(index, 0..info.elements(), &mut scratch).unwrap();
        let view = safetensors_file(&format!("{:?}", info.shape), info.dtype, bytes);
        let folder = workshop.path(&format!("input{position}"));
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join("model.safetensors"), view).unwrap();
    }
    let sources: Vec<serde_json::Value> = case
        .input_parameters
        .iter()
        .enumerate()
        .map(|(position, parameters)| serde_json::json!({"model": format!("input{position}"), "parameters": parameters}))
        .collect();
    let mut recipe = serde_json::json!({"models": sources, "merge_method": method, "parameters": case.parameters});
    if let Some(base) = case.base {
        recipe["base_model"] = format!("input{base}").into();
    }
    if let Some(dtype) = DType::ALL.iter().find(|d| short_name(**d) == Some(dtype)) {
        recipe["dtype"] = dtype.torch_name().into();
    } else {
        // the peer promotes the inputs to their common type; here a recipe names the type of the result
        let expected = file.find(&format!("{}/expected", case.name)).unwrap();
        recipe["dtype"] = file.tensors()[expected].info.dtype.torch_name().into();
    }
    let planned = workshop.plan(&recipe.to_string());
    let source = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
    values(&source, "tensor")
}

fn short_name(dtype: DType) -> Option<&'static str> {
    match dtype {
        DType::F16 => Some("f16"),
        DType::BF16 => Some("bf16"),
        DType::F32 => Some("f32"),
        DType::F64 => Some("f64"),
        _ => None,
    }
}

/// A file with one tensor called `tensor`.
fn safetensors_file(shape: &str, dtype: DType, bytes: &[u8]) -> Vec<u8> {
    let header = format!(
        r#"{{"tensor":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{}]}}}}"#,
        bytes.len()
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

/// The formula's value for a case, and the k of its bound.
fn oracle(method: &str, case: &Case, inputs: &[Vec<f64>]) -> Option<(Vec<Expected>, f64)> {
    let number = |map: &serde_json::Map<String, serde_json::Value>, name: &str| {
        map.get(name).and_then(serde_json::Value::as_f64)
    };
    match method {
        "linear" => {
            let weights: Vec<f64> = case
                .input_parameters
                .iter()
                .map(|p| number(p, "weight").unwrap())
                .collect();
            let normalize = case
                .parameters
                .get("normalize")
                .is_none_or(|v| v.as_bool() == Some(true));
            Some((
                linear(&weights, normalize, inputs),
                weights.len() as f64 + 1.0,
            ))
        }
        "slerp" => {
            let t = number(&case.parameters, "t").unwrap();
            let ordered = if case.base == Some(1) {
                vec![inputs[1].clone(), inputs[0].clone()]
            } else {
                inputs.to_vec()
            };
            Some((slerp(t, &ordered), 3.0))
        }
        "passthrough" => {
            let scale = number(&case.input_parameters[0], "scale").unwrap_or(1.0);
            Some((linear(&[scale], false, inputs), 2.0))
        }
        // the other methods are tested against their formulas beside their code
        _ => None,
    }
}

/// What is done with the cases of a method.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tried {
    /// Compared with the peer's result.
    compared: usize,
    /// Compared beside the code (`weightsmith-methods`), with the masks that the peer drew.
    drawn: usize,
    /// Not compared: noise decides.
    noise: usize,
}

/// Cases of each method in all its files.
const TRIED: &[(&str, Tried)] = &[
    ("arcee_fusion", tried(30, 0, 0)),
    ("breadcrumbs", tried(198, 0, 0)),
    ("breadcrumbs_ties", tried(198, 0, 0)),
    ("dare_linear", tried(27, 148, 0)),
    ("dare_ties", tried(27, 148, 0)),
    ("della", tried(24, 118, 0)),
    ("della_linear", tried(24, 118, 0)),
    ("karcher", tried(93, 0, 3)),
    ("linear", tried(98, 0, 0)),
    ("model_stock", tried(159, 0, 0)),
    ("multislerp", tried(168, 0, 0)),
    ("nearswap", tried(63, 0, 0)),
    ("nuslerp", tried(239, 0, 0)),
    ("passthrough", tried(76, 0, 0)),
    ("ram", tried(87, 0, 0)),
    ("ramplus_tl", tried(132, 0, 0)),
    ("sce", tried(114, 0, 0)),
    ("slerp", tried(192, 0, 0)),
    ("task_arithmetic", tried(125, 0, 0)),
    ("ties", tried(186, 0, 0)),
];

const fn tried(compared: usize, drawn: usize, noise: usize) -> Tried {
    Tried {
        compared,
        drawn,
        noise,
    }
}

#[test]
fn every_golden_case_agrees_with_the_peer_and_with_the_formula() {
    let mut counts = BTreeMap::<String, Tried>::new();
    let mut chosen_otherwise = 0;
    for (stem, file) in golden_files() {
        let method = metadata(&file, "method");
        let tried = counts.entry(method.clone()).or_default();
        for case in serde_json::from_str::<Vec<Case>>(&metadata(&file, "cases")).unwrap() {
            // the mean of exactly opposite tensors is the first of them (tested beside the code); the file's f64
            // evaluation of the iteration turns about on rounding there, as the peer's does
            let is_noise = method == "karcher" && case.name == "opposite";
            let is_drawn = file
                .tensors()
                .iter()
                .any(|entry| entry.name.starts_with(&format!("{}/mask", case.name)));
            if is_noise {
                tried.noise += 1;
            } else if is_drawn {
                tried.drawn += 1;
            } else if method == "arcee_fusion" {
                chosen_otherwise += assert_chosen(&stem, &file, &case);
                tried.compared += 1;
            } else {
                assert!(!case.information, "{stem} {}", case.name);
                assert_agrees(&stem, &file, &method, &case);
                tried.compared += 1;
            }
        }
    }
    let counts: Vec<(&str, Tried)> = counts
        .iter_mut()
        .map(|(method, tried)| (method.as_str(), std::mem::take(tried)))
        .collect();
    assert_eq!(counts, TRIED);
    assert_eq!(chosen_otherwise, CHOSEN_OTHERWISE);
}

/// How near to the threshold, as a share of it, an importance may lie whose element the peer chose otherwise: it calculates
/// divergences in f32.
const THRESHOLD_NOISE: f64 = 1e-3;

/// Elements of all cases that the peer chooses otherwise, at the threshold.
const CHOSEN_OTHERWISE: usize = 0;

/// Holds a case of arcee_fusion against the peer's, and counts the elements that it chooses otherwise: elements are one model's or the other's, and the choice is the peer's but at the
/// threshold.
fn assert_chosen(stem: &str, file: &Checkpoint, case: &Case) -> usize {
    let what = format!("{stem} {}", case.name);
    let found = merged(file, "arcee_fusion", &metadata(file, "dtype"), case);
    let name = format!("{}/expected", case.name);
    let info = &file.tensors()[file.find(&name).unwrap()].info;
    let peer = values(file, &name);
    let base = case.base.unwrap();
    let [base, other] = [base, 1 - base].map(|position| values(file, &case.inputs[position]));
    let row = info.shape.last().map_or(1, |last| *last as usize);
    let importances = importances(&base, &other, row);
    let threshold = fusion_threshold(&importances);
    let mut otherwise = 0;
    let mut alike = (Vec::new(), Vec::new());
    for (element, (found, peer)) in found.iter().zip(&peer).enumerate() {
        let candidates = [base[element], other[element]];
        assert!(candidates.contains(found), "{what}[{element}]: {found}");
        // the peer adds the difference to the base, and rounds
        let [base, other] = candidates;
        let is_other = (peer - other).abs() < (peer - base).abs();
        if *found == if is_other { other } else { base } {
            alike.0.push(*found);
            alike.1.push(*peer);
            continue;
        }
        let off = (importances[element] - threshold).abs();
        assert!(
            off <= THRESHOLD_NOISE * threshold,
            "{what}[{element}]: {found}, the peer has {peer}, {off} from the threshold {threshold}"
        );
        otherwise += 1;
    }
    assert_near_the_peer(&what, info.dtype, &alike.0, &alike.1);
    otherwise
}

/// |W₁ − W₀| times the divergence of the row, for each element.
fn importances(base: &[f64], other: &[f64], row: usize) -> Vec<f64> {
    let softmax = |row: &[f64]| -> Vec<f64> {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = row.iter().map(|x| (x - largest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum + 1e-8).collect()
    };
    let rows = base.chunks(row).zip(other.chunks(row));
    rows.flat_map(|(base, other)| {
        let (p, q) = (softmax(other), softmax(base));
        let terms = p.iter().zip(&q).map(|(p, q)| p * (p / q).ln());
        let divergence: f64 = terms.sum();
        let differences = base.iter().zip(other);
        differences
            .map(|(base, other)| (other - base).abs() * divergence)
            .collect::<Vec<f64>>()
    })
    .collect()
}

/// median + 1.5 · (third quartile − first quartile), a quantile q being element ⌊q·(n − 1)⌋ in order.
fn fusion_threshold(importances: &[f64]) -> f64 {
    let mut sorted = importances.to_vec();
    sorted.sort_by(f64::total_cmp);
    let [first, median, third] = [1, 2, 3].map(|quarter| sorted[quarter * (sorted.len() - 1) / 4]);
    median + 1.5 * (third - first)
}

fn assert_agrees(stem: &str, file: &Checkpoint, method: &str, case: &Case) {
    let what = format!("{stem} {}", case.name);
    let mut found = merged(file, method, &metadata(file, "dtype"), case);
    let expected = format!("{}/expected", case.name);
    let result = file.tensors()[file.find(&expected).unwrap()].info.dtype;
    let witness = match case.deviates {
        Some(_) => format!("{}/formula", case.name),
        None => expected,
    };
    let mut peer = values(file, &witness);
    if case.ties {
        let free = tied(file, &format!("{}/tied", case.name));
        let mut keep = free.iter().map(|tied| !tied);
        found.retain(|_| keep.next().unwrap());
        let mut keep = free.iter().map(|tied| !tied);
        peer.retain(|_| keep.next().unwrap());
    }
    assert_near_the_peer(&what, result, &found, &peer);
    let inputs: Vec<Vec<f64>> = case
        .inputs
        .iter()
        .map(|input| values(file, input))
        .collect();
    if let Some((expected, k)) = oracle(method, case, &inputs) {
        // in f64 the rounding of the cosine counts, also the oracle's: at cos −0.9992 the coefficients amplify
        // it by (1 / sin θ)³, some 15,000
        let k = if result == DType::F64 { 15_000.0 } else { k };
        assert_within(&what, result, k, &found, &expected);
    }
}

/// The elements that hang on a choice among equals.
fn tied(file: &Checkpoint, name: &str) -> Vec<bool> {
    let index = file.find(name).unwrap();
    let elements = file.tensors()[index].info.elements();
    let mut scratch = Vec::new();
    let bytes = file.read(index, 0..elements, &mut scratch).unwrap();
    bytes.iter().map(|byte| *byte != 0).collect()
}

/// f32 and f64 within 1e-5 of the tensor's magnitude, 16-bit types within one unit in the last place.
fn assert_near_the_peer(what: &str, dtype: DType, found: &[f64], peer: &[f64]) {
    let magnitude = peer
        .iter()
        .fold(0.0f64, |largest, value| largest.max(value.abs()));
    for (element, (found, peer)) in found.iter().zip(peer).enumerate() {
        let allowed = match dtype {
            DType::F32 | DType::F64 => 1e-5 * magnitude,
            // one unit of the type, beside the peer's own f32 error
            _ => {
                2.0 * crate::oracle::half_ulp(dtype, found.abs().max(peer.abs())) + 1e-5 * magnitude
            }
        };
        assert!(
            (found - peer).abs() <= allowed,
            "{what}[{element}]: {found}, the peer has {peer}"
        );
    }
}

fn plan_in_repository(recipe: &str) -> Planned {
    let root = repository();
    let parsed = parse(recipe, &|path| root.join(path).exists());
    let workshop = Workshop::new();
    let mut options: PlanOptions = workshop.plan_options();
    options.locate.current_dir = root;
    build(&parsed.recipes[0], &options)
        .unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}\n{recipe}"))
}

#[derive(Debug, Deserialize)]
struct WholeMerge {
    recipe: String,
    tensors: BTreeMap<String, WholeTensor>,
}

#[derive(Debug, Deserialize)]
struct WholeTensor {
    shape: Vec<u64>,
    abs_sum: f64,
    f32: Vec<f64>,
    bf16: Vec<f64>,
    /// The samples that hang on a choice among equals, or nearly so.
    #[serde(default)]
    doubtful_samples: Vec<usize>,
    /// What the formula gives, which decides for the lowest index.
    formula: Option<Vec<f64>>,
    formula_abs_sum: Option<f64>,
}

/// Names of the recipes whose whole results are there, in order.
fn whole_merges() -> Vec<String> {
    let entries = fs_err::read_dir(golden_folder()).unwrap();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.strip_prefix("tiny_qwen2__")?.strip_suffix(".json")?;
            Some(name.to_owned())
        })
        .collect();
    names.sort();
    names
}

#[test]
fn whole_merges_of_the_bundled_models_agree_with_the_peer() {
    let names = [
        "breadcrumbs",
        "karcher",
        "linear",
        "model_stock",
        "sce",
        "slerp_full_v",
        "slerp_v",
        "task_arithmetic",
        "ties",
    ];
    assert_eq!(whole_merges(), names);
    for name in names {
        let text = fs_err::read_to_string(golden_folder().join(format!("tiny_qwen2__{name}.json")))
            .unwrap();
        let whole: WholeMerge = serde_json::from_str(&text).unwrap();
        let recipe = fs_err::read_to_string(repository().join(&whole.recipe)).unwrap();
        for (dtype, torch_name) in [(DType::F32, "float32"), (DType::BF16, "bfloat16")] {
            let planned = plan_in_repository(
                &recipe.replace("dtype: bfloat16", &format!("dtype: {torch_name}")),
            );
            let source = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
            assert_eq!(source.tensors().len(), whole.tensors.len());
            for (tensor, golden) in &whole.tensors {
                let shape = &source.tensors()[source.find(tensor).unwrap()].info.shape;
                assert_eq!(*shape, golden.shape, "{tensor}");
                let found = values(&source, tensor);
                assert_whole(&format!("{name} {tensor}"), dtype, &found, golden);
            }
        }
    }
}

/// Holds a tensor of a whole merge against the peer's, and where that hangs on a choice against the formula.
fn assert_whole(what: &str, dtype: DType, found: &[f64], golden: &WholeTensor) {
    let samples = |keep: &dyn Fn(usize) -> bool, of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..16).filter(|i| keep(*i)).map(of).collect()
    };
    let ours = |i: usize| found[i * (found.len() - 1) / 15];
    let certain = |i: usize| !golden.doubtful_samples.contains(&i);
    let peer = if dtype == DType::F32 {
        &golden.f32
    } else {
        &golden.bf16
    };
    assert_near_the_peer(
        what,
        dtype,
        &samples(&certain, &ours),
        &samples(&certain, &|i| peer[i]),
    );
    if dtype != DType::F32 {
        return;
    }
    if let Some(formula) = &golden.formula {
        assert_near_the_peer(what, dtype, &samples(&|_| true, &ours), formula);
    }
    let sum: f64 = found.iter().map(|value| value.abs()).sum();
    let expected = golden.formula_abs_sum.unwrap_or(golden.abs_sum);
    assert!(
        (sum - expected).abs() <= 1e-5 * expected,
        "{what}: {sum} instead of {expected}"
    );
}

#[derive(Debug, Deserialize)]
struct ParameterFile {
    recipes: Vec<ParameterRecipe>,
}

#[derive(Debug, Deserialize)]
struct ParameterRecipe {
    name: String,
    recipe: String,
    tensors: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
}

#[test]
fn every_tensor_is_merged_with_the_peers_inputs_and_parameters() {
    let text = fs_err::read_to_string(golden_folder().join("parameters.json")).unwrap();
    let file: ParameterFile = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for golden in &file.recipes {
        let method = golden
            .recipe
            .lines()
            .find_map(|line| line.strip_prefix("merge_method: "))
            .unwrap()
            .trim();
        let planned = plan_in_repository(&golden.recipe);
        for (name, expected) in &golden.tensors {
            let tensor = planned
                .plan
                .tensors
                .iter()
                .find(|tensor| tensor.name == *name);
            let tensor = tensor.unwrap_or_else(|| panic!("{}: no {name}", golden.name));
            let operation = tensor.action.operation().unwrap();
            for (parameter, value) in expected {
                let what = format!("{} {name} {parameter}", golden.name);
                // accepted, without effect there or here
                let is_inert = parameter == "int8_mask"
                    || (method == "task_arithmetic"
                        && ["density", "rescale"].contains(&parameter.as_str()));
                if is_inert {
                    continue;
                }
                if parameter == "inputs" {
                    assert_eq!(inputs_of(&planned, name, operation), *value, "{what}");
                } else {
                    assert_parameter(&what, operation, parameter, value);
                }
                compared += 1;
            }
        }
    }
    assert_eq!((file.recipes.len(), compared), (45, 3878));
}

/// The inputs as the golden file names them: with the tensors' names where any of them is not the output's.
fn inputs_of(planned: &Planned, name: &str, operation: &Operation) -> serde_json::Value {
    let renamed = operation.sources.iter().any(|source| source.tensor != name);
    operation
        .sources
        .iter()
        .map(|source| {
            let label = &planned.plan.inputs[source.input].label;
            if renamed {
                format!("{label}:{}", source.tensor)
            } else {
                label.clone()
            }
        })
        .collect()
}

fn assert_parameter(
    what: &str,
    operation: &Operation,
    parameter: &str,
    expected: &serde_json::Value,
) {
    let check = |found: Option<&Value>, expected: &serde_json::Value| match (found, expected) {
        (None, serde_json::Value::Null) => {}
        (Some(Value::Number(found)), expected) => {
            let expected = expected
                .as_f64()
                .unwrap_or_else(|| panic!("{what}: {expected}"));
            assert!(
                (found - expected).abs() <= 1e-12,
                "{what}: {found}, the peer has {expected}"
            );
        }
        (Some(Value::Bool(found)), expected) => {
            assert_eq!(Some(*found), expected.as_bool(), "{what}");
        }
        (found, expected) => panic!("{what}: {found:?}, the peer has {expected}"),
    };
    match expected {
        serde_json::Value::Array(per_source) => {
            assert_eq!(
                per_source.len(),
                operation.source_parameters.len(),
                "{what}"
            );
            for (found, expected) in operation.source_parameters.iter().zip(per_source) {
                check(found.get(parameter), expected);
            }
        }
        expected => check(operation.parameters.get(parameter), expected),
    }
}

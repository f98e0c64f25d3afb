//! Our results against mergekit's, with the masks that it drew, from the files in `crates/merge/tests/golden` (their README says how they were
//! made); and our probabilities against its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use weightsmith_tensors::{Checkpoint, DType, Real, TensorSource};

use super::Merge;
use super::select::Selection;
use super::settings::Settings;
use super::thin::Thinning;
use crate::testing::evaluate::{evaluate_kernel, operation};
use crate::{Kernel, OutputTensor, Stage, find};
use crate::{Operation, Value};

type Parameters = serde_json::Map<String, serde_json::Value>;

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    inputs: Vec<String>,
    base: Option<usize>,
    parameters: Parameters,
    input_parameters: Vec<Parameters>,
    /// Why the peer's value is not the formula's, which stands beside it.
    deviates: Option<String>,
}

/// A method, with the elements that stay of each source.
#[derive(Debug, Clone)]
struct Masked {
    merge: Merge,
    masks: Vec<Option<Arc<[bool]>>>,
}

impl<T: Real> Kernel<T> for Masked {
    fn passes(&self) -> usize {
        1
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        let settings = Settings::of(&self.merge.operation, output.info);
        let thinnings = settings
            .terms
            .iter()
            .map(|term| match &self.masks[term.source] {
                Some(kept) => Thinning::Given(Arc::clone(kept)),
                None => Thinning::Keep,
            })
            .collect();
        Selection::begin(settings, thinnings)
    }
}

/// The golden files of methods that draw: their method, and what is in them.
fn files() -> Vec<(String, Checkpoint)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../merge/tests/golden");
    let mut paths: Vec<PathBuf> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            (name.starts_with("dare_") || name.starts_with("della_"))
                && name.ends_with(".safetensors")
        })
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let file = Checkpoint::open(path).unwrap();
            (metadata(&file, "method"), file)
        })
        .collect()
}

fn metadata(file: &Checkpoint, key: &str) -> String {
    let mut metadata = file.files()[0].metadata.iter();
    metadata.find(|(name, _)| name == key).unwrap().1.clone()
}

/// The bytes, type and shape of a tensor.
fn read(file: &Checkpoint, name: &str) -> Option<(Vec<u8>, DType, Vec<u64>)> {
    let index = file.find(name)?;
    let info = &file.tensors()[index].info;
    let mut scratch = Vec::new();
    let bytes = file.read(index, 0..info.elements(), &mut scratch).unwrap();
    Some((bytes.to_vec(), info.dtype, info.shape.clone()))
}

fn widened<T: Real>(file: &Checkpoint, name: &str) -> Vec<T> {
    let (bytes, dtype, shape) = read(file, name).unwrap_or_else(|| panic!("no {name}"));
    let mut values = vec![T::ZERO; shape.iter().product::<u64>() as usize];
    T::widen(dtype, &bytes, &mut values).unwrap();
    values
}

fn masks(file: &Checkpoint, case: &Case) -> Vec<Option<Arc<[bool]>>> {
    (0..case.inputs.len())
        .map(|position| {
            let (bytes, ..) = read(file, &format!("{}/mask{position}", case.name))?;
            Some(bytes.iter().map(|byte| *byte != 0).collect())
        })
        .collect()
}

/// The operation of a case, with the defaults of its method.
fn operation_of(method: &str, case: &Case) -> Operation {
    let mut result = operation(method, case.inputs.len(), case.base);
    let value = |given: &serde_json::Value| match given {
        serde_json::Value::Bool(on) => Value::Bool(*on),
        number => Value::Number(number.as_f64().unwrap()),
    };
    for parameter in find(method).unwrap().parameters {
        let name = parameter.name;
        let own = case.parameters.get(name).map(value);
        result
            .parameters
            .extend(own.map(|own| (name.to_owned(), own)));
        let sources = result.source_parameters.iter_mut();
        for (values, given) in sources.zip(&case.input_parameters) {
            let own = given.get(name).map(value);
            values.extend(own.map(|own| (name.to_owned(), own)));
        }
    }
    result
}

fn result<T: Real>(file: &Checkpoint, method: &str, case: &Case) -> Vec<f64> {
    let kernel = Masked {
        merge: Merge::new(&operation_of(method, case)),
        masks: masks(file, case),
    };
    let inputs: Vec<Vec<T>> = case.inputs.iter().map(|name| widened(file, name)).collect();
    let (_, _, shape) = read(file, &case.inputs[0]).unwrap();
    let result = evaluate_kernel(
        || Box::new(kernel.clone()),
        || Box::new(kernel.clone()),
        0,
        &shape,
        &inputs,
    );
    result.into_iter().map(Real::to_f64).collect()
}

/// Cases with masks of each method.
const DRAWN: [(&str, usize); 4] = [
    ("dare_linear", 148),
    ("dare_ties", 148),
    ("della", 118),
    ("della_linear", 118),
];

#[test]
fn every_case_agrees_with_the_peer_under_its_masks() {
    let mut drawn = BTreeMap::<String, usize>::new();
    for (method, file) in files() {
        for case in serde_json::from_str::<Vec<Case>>(&metadata(&file, "cases")).unwrap() {
            if masks(&file, &case).iter().flatten().next().is_none() {
                continue;
            }
            *drawn.entry(method.clone()).or_default() += 1;
            let is_double = read(&file, &case.inputs[0]).unwrap().1 == DType::F64;
            let found = if is_double {
                result::<f64>(&file, &method, &case)
            } else {
                result::<f32>(&file, &method, &case)
            };
            let witness = match case.deviates {
                Some(_) => format!("{}/formula", case.name),
                None => format!("{}/expected", case.name),
            };
            let dtype = read(&file, &format!("{}/expected", case.name)).unwrap().1;
            let peer: Vec<f64> = widened(&file, &witness);
            let magnitude = peer
                .iter()
                .fold(0.0f64, |most, value| most.max(value.abs()));
            // half a unit of a 16-bit result is the peer's
            let unit = match dtype {
                DType::BF16 => 0.5f64.powi(8),
                DType::F16 => 0.5f64.powi(11),
                _ => 0.0,
            };
            for (element, (found, peer)) in found.iter().zip(&peer).enumerate() {
                let bound =
                    1e-5 * magnitude + 1.01 * unit * peer.abs().max(found.abs()) + unit * 1e-4;
                assert!(
                    (found - peer).abs() <= bound,
                    "{method} {}[{element}]: {found}, the peer has {peer}",
                    case.name
                );
            }
        }
    }
    let drawn: Vec<(&str, usize)> = drawn
        .iter()
        .map(|(name, cases)| (name.as_str(), *cases))
        .collect();
    assert_eq!(drawn, DRAWN);
}

//! A kernel on numbers in memory, the way a run works it: for tests of methods.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::{Error, Real, TensorEntry, TensorInfo, TensorSource};

use crate::job::{JobSource, Scratch, TensorJob};
use crate::{Kernel, Operation, OutputTensor, Scope, SourceTensor, Value, find};

/// One tensor in memory.
#[derive(Debug)]
struct InMemory {
    entries: Vec<TensorEntry>,
    bytes: Vec<u8>,
}

impl TensorSource for InMemory {
    fn tensors(&self) -> &[TensorEntry] {
        &self.entries
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name == name)
    }

    fn read<'a>(
        &'a self,
        _: usize,
        elements: Range<u64>,
        _: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        let width = self.entries[0].info.dtype.bits() / 8;
        Ok(&self.bytes[(elements.start * width) as usize..(elements.end * width) as usize])
    }
}

/// An operation with the defaults of its method, to which other parameters are given by [`with`] and [`with_source`].
pub(crate) fn operation(method: &str, sources: usize, base: Option<usize>) -> Operation {
    let source = SourceTensor {
        input: 0,
        tensor: "tensor".into(),
    };
    let specification = find(method).expect("a method of the table");
    let defaults = |scope: Scope| -> BTreeMap<String, Value> {
        let parameters = specification.parameters.iter();
        parameters
            .filter(|parameter| parameter.scope == scope)
            .filter_map(|parameter| Some((parameter.name.to_owned(), parameter.default.value()?)))
            .collect()
    };
    Operation {
        method: method.into(),
        sources: vec![source; sources],
        base,
        parameters: defaults(Scope::Global),
        source_parameters: vec![defaults(Scope::Model); sources],
    }
}

/// Sets a parameter of the whole operation.
pub(crate) fn with(mut operation: Operation, name: &str, value: Value) -> Operation {
    operation.parameters.insert(name.into(), value);
    operation
}

/// Sets a number of each source, the base's too.
pub(crate) fn with_source(mut operation: Operation, name: &str, values: &[f64]) -> Operation {
    for (parameters, value) in operation.source_parameters.iter_mut().zip(values) {
        parameters.insert(name.into(), Value::Number(*value));
    }
    operation
}

/// The result of an operation on tensors of one shape, computed in the precision of `T` and not rounded further.
pub(crate) fn evaluate<T: Real>(
    operation: &Operation,
    shape: &[u64],
    sources: &[Vec<T>],
) -> Vec<T> {
    evaluate_seeded(operation, 0, shape, sources)
}

/// As [`evaluate`], with a key of all randomness.
pub(crate) fn evaluate_seeded<T: Real>(
    operation: &Operation,
    seed: u64,
    shape: &[u64],
    sources: &[Vec<T>],
) -> Vec<T> {
    let compile = find(&operation.method)
        .expect("a method of the table")
        .compile;
    let single = || (compile.single)(operation);
    let double = || (compile.double)(operation);
    evaluate_kernel(single, double, seed, shape, sources)
}

/// As [`evaluate`], with any kernel.
pub(crate) fn evaluate_kernel<T: Real>(
    single: impl FnOnce() -> Box<dyn Kernel<f32>>,
    double: impl FnOnce() -> Box<dyn Kernel<f64>>,
    seed: u64,
    shape: &[u64],
    sources: &[Vec<T>],
) -> Vec<T> {
    let info = TensorInfo {
        dtype: T::DTYPE,
        shape: shape.to_vec(),
    };
    let output = OutputTensor {
        name: "tensor",
        info: &info,
        seed,
        // so that tests see both ways
        spare: (seed % 2) << 20,
    };
    let sources = sources.iter().map(|values| in_memory(values, &info));
    let job = TensorJob::merge(&output, sources.collect(), single, double);
    let mut scratch = Scratch::default();
    job.measure_all(&mut scratch).expect("memory can be read");
    let width = (T::DTYPE.bits() / 8) as usize;
    let mut out = vec![0; info.bytes() as usize];
    // in three pieces whose borders lie in the middle of rows and tiles
    let n = info.elements();
    for range in [0..n / 3, n / 3..n / 3 * 2 + n % 2, n / 3 * 2 + n % 2..n] {
        let bytes = &mut out[range.start as usize * width..range.end as usize * width];
        job.compute(range, bytes, &mut scratch)
            .expect("memory can be read");
    }
    let mut values = vec![T::ZERO; n as usize];
    T::widen(T::DTYPE, &out, &mut values).expect("a plain float");
    values
}

fn in_memory<T: Real>(values: &[T], info: &TensorInfo) -> JobSource {
    let mut bytes = vec![0; info.bytes() as usize];
    T::narrow(values, T::DTYPE, &mut bytes).expect("a plain float");
    let entries = vec![TensorEntry {
        name: "tensor".into(),
        info: info.clone(),
    }];
    JobSource {
        model: "model".into(),
        source: Arc::new(InMemory { entries, bytes }),
        tensor: 0,
    }
}

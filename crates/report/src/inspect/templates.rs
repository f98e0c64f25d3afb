//! The tensors of equal layers in one row.

use indexmap::IndexMap;
use weightsmith_tensors::{DType, TensorEntry};

use super::inspection::Template;
use weightsmith::architecture::{Architecture, LayerPlace};

/// What tensors of one row have in common. Tensors outside the layers have an empty prefix.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    prefix: &'a str,
    rest: &'a str,
    dtype: DType,
    shape: &'a [u64],
}

struct Row {
    order: (u8, usize),
    layers: Vec<u64>,
}

/// Folds tensors that differ only in their layer's number: those before the layers, the layers, those after them,
/// as Architecture places them, each in the order of the files.
pub(super) fn fold(tensors: &[TensorEntry], architecture: &Architecture) -> Vec<Template> {
    let mut rows: IndexMap<Key<'_>, Row> = IndexMap::new();
    for (index, tensor) in tensors.iter().enumerate() {
        let position = architecture.layer_of(&tensor.name);
        let (prefix, rest) = position.map_or(("", tensor.name.as_str()), |position| {
            (position.prefix, position.rest)
        });
        let key = Key {
            prefix,
            rest,
            dtype: tensor.info.dtype,
            shape: &tensor.info.shape,
        };
        let place = match architecture.place(&tensor.name) {
            LayerPlace::Before => 0,
            LayerPlace::Layer { .. } => 1,
            LayerPlace::After => 2,
        };
        let row = rows.entry(key).or_insert(Row {
            order: (place, index),
            layers: Vec::new(),
        });
        row.layers.extend(position.map(|position| position.index));
    }
    rows.sort_by(|_, a, _, b| a.order.cmp(&b.order));
    rows.into_iter()
        .map(|(key, row)| template(&key, row.layers))
        .collect()
}

fn template(key: &Key<'_>, mut layers: Vec<u64>) -> Template {
    let tensors = layers.len().max(1);
    let name = if layers.is_empty() {
        key.rest.to_owned()
    } else {
        layers.sort_unstable();
        format!("{}{}.{}", key.prefix, ranges(&layers), key.rest)
    };
    Template {
        name,
        tensors,
        dtype: key.dtype,
        shape: key.shape.to_vec(),
        elements: key.shape.iter().product::<u64>() * tensors as u64,
    }
}

/// Sorted numbers as ranges in braces, both ends included: `{0..3,5}`; one number stands by itself.
fn ranges(numbers: &[u64]) -> String {
    if let [number] = numbers {
        return number.to_string();
    }
    let parts: Vec<String> = numbers
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| match run {
            [first, .., last] => format!("{first}..{last}"),
            _ => run[0].to_string(),
        })
        .collect();
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use weightsmith_tensors::TensorInfo;

    use super::*;

    fn entry(name: &str, shape: &[u64]) -> TensorEntry {
        TensorEntry {
            name: name.to_owned(),
            info: TensorInfo {
                dtype: DType::F32,
                shape: shape.to_vec(),
            },
        }
    }

    #[test]
    fn equal_layers_become_one_row() {
        let tensors = [
            entry("lm_head.weight", &[7, 2]),
            entry("model.embed_tokens.weight", &[7, 2]),
            entry("model.layers.0.mlp.up.weight", &[4, 2]),
            entry("model.layers.1.mlp.up.weight", &[4, 2]),
            entry("model.layers.10.mlp.up.weight", &[4, 2]),
            entry("model.layers.2.mlp.up.weight", &[5, 2]),
        ];
        let architecture = Architecture::infer(None, &tensors);
        let names: Vec<(String, u64)> = fold(&tensors, &architecture)
            .into_iter()
            .map(|row| (row.name, row.elements))
            .collect();
        assert_eq!(
            names,
            [
                ("model.embed_tokens.weight".to_owned(), 14),
                ("model.layers.{0..1,10}.mlp.up.weight".to_owned(), 24),
                ("model.layers.2.mlp.up.weight".to_owned(), 10),
                ("lm_head.weight".to_owned(), 14),
            ]
        );
    }

    #[test]
    fn runs_become_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 4, 6, 7]), "{0..2,4,6..7}");
        assert_eq!(ranges(&[3]), "3");
    }
}

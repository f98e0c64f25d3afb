//! Planned files against the `safetensors` crate, and the grouping into files.

use std::collections::HashMap;

use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use weightsmith_tensors::{
    DType, Header, INDEX_FILE_NAME, LayoutError, OutputFormat as _, PlacedTensor, Safetensors,
    ShardLayout, TensorEntry, TensorInfo,
};

use crate::random::Random;

fn entry(name: &str, dtype: DType, shape: &[u64]) -> TensorEntry {
    TensorEntry {
        name: name.to_owned(),
        info: TensorInfo {
            dtype,
            shape: shape.to_vec(),
        },
    }
}

/// The only file of a layout with these tensors' bytes in place.
fn file_of(layout: &ShardLayout, data: &[Vec<u8>]) -> Vec<u8> {
    let [shard] = layout.shards() else {
        panic!("one file is expected");
    };
    let mut file = vec![0xee; shard.file_size as usize];
    let start = Safetensors.preamble(shard);
    file[..start.len()].copy_from_slice(&start);
    for tensor in &shard.tensors {
        let range = tensor.offset as usize..(tensor.offset + tensor.bytes) as usize;
        file[range].copy_from_slice(&data[tensor.index]);
    }
    file
}

/// The same file by the reference implementation.
fn reference(tensors: &[TensorEntry], data: &[Vec<u8>]) -> Vec<u8> {
    let views = tensors.iter().zip(data).map(|(tensor, bytes)| {
        let dtype: Dtype =
            serde_json::from_str(&format!("\"{}\"", tensor.info.dtype)).expect("the same names");
        let shape = tensor
            .info
            .shape
            .iter()
            .map(|&size| size as usize)
            .collect();
        (
            tensor.name.as_str(),
            TensorView::new(dtype, shape, bytes).unwrap(),
        )
    });
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn random_data(tensors: &[TensorEntry]) -> Vec<Vec<u8>> {
    let mut random = Random(1);
    tensors
        .iter()
        .map(|tensor| random.bytes(tensor.info.bytes() as usize))
        .collect()
}

#[test]
fn a_file_is_what_the_safetensors_crate_writes() {
    let mut tensors: Vec<TensorEntry> = DType::ALL
        .into_iter()
        .map(|dtype| entry(&format!("of type {dtype}"), dtype, &[4, 2]))
        .collect();
    for name in [
        "b",
        "a",
        "a.b",
        "",
        "quote\" slash\\ /",
        "tab\t line\n nul\0",
        "é 漢 🦀",
        "\u{7f}\u{2028}",
    ] {
        tensors.push(entry(name, DType::BF16, &[3]));
    }
    tensors.push(entry("scalar", DType::F32, &[]));
    tensors.push(entry("none", DType::F32, &[0, 5]));
    let data = random_data(&tensors);
    let layout = Safetensors.layout(&tensors, None).unwrap();
    assert_eq!(layout.shards()[0].file_name, "model.safetensors");
    let file = file_of(&layout, &data);
    assert!(file == reference(&tensors, &data));

    let header = Header::parse(&file, file.len() as u64).unwrap();
    assert_eq!(header.metadata, [("format".to_owned(), "pt".to_owned())]);
    for (read, planned) in header.tensors.iter().zip(&layout.shards()[0].tensors) {
        assert_eq!((read.offset, &read.info), (planned.offset, &planned.info));
    }
}

#[test]
fn no_tensors_make_one_empty_file() {
    let layout = Safetensors.layout(&[], Some(10)).unwrap();
    assert_eq!(Safetensors.index(&layout), None);
    assert_eq!(file_of(&layout, &[]), reference(&[], &[]));
}

/// File name, sizes of its tensors' bytes.
fn grouping(sizes: &[u64], limit: Option<u64>) -> Vec<(String, Vec<u64>)> {
    let tensors: Vec<TensorEntry> = sizes
        .iter()
        .enumerate()
        .map(|(index, &size)| entry(&format!("{index:02}"), DType::U8, &[size]))
        .collect();
    let layout = Safetensors.layout(&tensors, limit).unwrap();
    layout
        .shards()
        .iter()
        .map(|shard| {
            (
                shard.file_name.clone(),
                shard.tensors.iter().map(|t| t.bytes).collect(),
            )
        })
        .collect()
}

#[test]
fn a_tensor_that_would_exceed_the_limit_begins_the_next_file() {
    let expected = [
        ("model-00001-of-00004.safetensors".to_owned(), vec![4, 6]),
        ("model-00002-of-00004.safetensors".to_owned(), vec![1]),
        ("model-00003-of-00004.safetensors".to_owned(), vec![25]),
        ("model-00004-of-00004.safetensors".to_owned(), vec![5, 5]),
    ];
    assert_eq!(grouping(&[4, 6, 1, 25, 5, 5], Some(10)), expected);
    let one = [("model.safetensors".to_owned(), vec![4, 6, 1, 25, 5, 5])];
    assert_eq!(grouping(&[4, 6, 1, 25, 5, 5], None), one);
    assert_eq!(grouping(&[4, 6, 1, 25, 5, 5], Some(46)), one);
}

#[test]
fn the_index_names_every_tensor_in_order() {
    let tensors = [entry("z", DType::F16, &[2]), entry("a", DType::F16, &[3])];
    let layout = Safetensors.layout(&tensors, Some(4)).unwrap();
    assert_eq!(layout.shard_of(0), 0);
    assert_eq!(layout.placed(1).name, "a");
    let expected = r#"{
  "metadata": {
    "total_size": 10
  },
  "weight_map": {
    "a": "model-00002-of-00002.safetensors",
    "z": "model-00001-of-00002.safetensors"
  }
}
"#;
    assert_eq!(
        Safetensors.index(&layout).unwrap(),
        (INDEX_FILE_NAME, expected.to_owned())
    );
}

#[test]
fn a_layout_survives_serialisation() {
    let tensors = [
        entry("z\"", DType::F16, &[2]),
        entry("a", DType::F4, &[3, 2]),
    ];
    let layout = Safetensors.layout(&tensors, Some(4)).unwrap();
    let json = serde_json::to_string(&layout).unwrap();
    assert_eq!(serde_json::from_str::<ShardLayout>(&json).unwrap(), layout);
}

#[test]
fn tensors_that_make_no_valid_file_are_refused() {
    let error = |tensors: &[TensorEntry]| Safetensors.layout(tensors, None).unwrap_err();
    let twice = [entry("a", DType::U8, &[1]), entry("a", DType::U8, &[2])];
    assert_eq!(error(&twice), LayoutError::Duplicate { tensor: "a".into() });
    let reserved = [entry("__metadata__", DType::U8, &[1])];
    assert_eq!(
        error(&reserved),
        LayoutError::ReservedName {
            tensor: "__metadata__".into()
        }
    );
    let large = [
        entry("a", DType::U8, &[1 << 60]),
        entry("b", DType::F64, &[1 << 60]),
    ];
    assert_eq!(error(&large), LayoutError::TooLarge { tensor: "b".into() });
    let sum = vec![(1_u64 << 61) - 1; 9].into_iter().enumerate();
    let sum: Vec<TensorEntry> = sum
        .map(|(i, n)| entry(&i.to_string(), DType::U8, &[n]))
        .collect();
    assert_eq!(error(&sum), LayoutError::TooLarge { tensor: "7".into() });
    assert_eq!(
        error(&[entry("a", DType::F4, &[3])]),
        LayoutError::PartialByte {
            tensor: "a".into(),
            dtype: DType::F4,
            shape: vec![3]
        }
    );
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop::sample::select(DType::ALL.to_vec())
}

/// Distinct names with shapes that fill whole bytes.
fn tensors() -> impl Strategy<Value = Vec<TensorEntry>> {
    let shape = prop::collection::vec(0..5_u64, 0..4);
    let tensor = (".{0,6}", dtypes(), shape);
    prop::collection::vec(tensor, 0..20).prop_map(|tensors| {
        let entries = tensors
            .into_iter()
            .enumerate()
            .map(|(index, (name, dtype, mut shape))| {
                shape.push(if dtype.bits() < 8 { 4 } else { 1 });
                entry(&format!("{name}#{index}"), dtype, &shape)
            });
        entries.collect()
    })
}

proptest! {
    #[test]
    fn every_tensor_has_one_place_within_the_limit(tensors in tensors(), limit in 0..200_u64) {
        let layout = Safetensors.layout(&tensors, Some(limit)).unwrap();
        let mut seen: Vec<usize> = Vec::new();
        for (number, shard) in layout.shards().iter().enumerate() {
            let mut position = Safetensors.preamble(shard).len() as u64;
            prop_assert_eq!(position % 8, 0);
            for tensor in &shard.tensors {
                let PlacedTensor { index, name, info, offset, bytes } = tensor;
                prop_assert_eq!((name, info), (&tensors[*index].name, &tensors[*index].info));
                prop_assert_eq!((*offset, *bytes), (position, info.bytes()));
                prop_assert_eq!(layout.shard_of(*index), number);
                prop_assert_eq!(layout.placed(*index), tensor);
                position += bytes;
            }
            prop_assert_eq!(shard.file_size, position);
            let data: u64 = shard.tensors.iter().map(|tensor| tensor.bytes).sum();
            let heavy = shard.tensors.iter().filter(|tensor| tensor.bytes > 0).count();
            prop_assert!(data <= limit || heavy == 1, "{} bytes in {} tensors", data, heavy);
            let mut indices: Vec<usize> = shard.tensors.iter().map(|tensor| tensor.index).collect();
            indices.sort_unstable();
            seen.extend(indices);
        }
        // in the given order across files, each once
        prop_assert_eq!(seen, (0..tensors.len()).collect::<Vec<_>>());
        prop_assert_eq!(layout.tensor_bytes(), tensors.iter().map(|t| t.info.bytes()).sum::<u64>());
    }

    #[test]
    fn any_file_is_what_the_safetensors_crate_writes_and_its_header_reads_back(tensors in tensors()) {
        let data = random_data(&tensors);
        let layout = Safetensors.layout(&tensors, None).unwrap();
        let file = file_of(&layout, &data);
        prop_assert!(file == reference(&tensors, &data));

        let header = Header::parse(&file, file.len() as u64).unwrap();
        let mut read: Vec<TensorEntry> = header
            .tensors
            .into_iter()
            .map(|tensor| TensorEntry { name: tensor.name, info: tensor.info })
            .collect();
        let mut expected = tensors;
        read.sort_by(|a, b| a.name.cmp(&b.name));
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert_eq!(read, expected);
    }
}

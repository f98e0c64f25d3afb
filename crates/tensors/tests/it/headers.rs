//! Headers that are sound, and bytes that are anything.

use proptest::prelude::*;
use weightsmith_tensors::{DType, Header, HeaderTensor, TensorInfo};

use crate::malformed::file;

#[test]
fn tensors_come_in_the_order_of_their_bytes() {
    let json = r#"{"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},
        "__metadata__":{"format":"pt","note":""},
        "none":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},
        "a":{"shape":[2],"data_offsets":[0,4],"dtype":"BF16","unknown":[{}]}}  "#;
    let bytes = file(json, 6);
    let header = Header::parse(&bytes, bytes.len() as u64).unwrap();
    let start = 8 + json.len() as u64;
    let tensor = |name: &str, dtype, size, offset| HeaderTensor {
        name: name.to_owned(),
        info: TensorInfo {
            dtype,
            shape: vec![size],
        },
        offset: start + offset,
    };
    assert_eq!(header.data_start, start);
    assert_eq!(
        header.tensors,
        [
            tensor("a", DType::BF16, 2, 0),
            tensor("none", DType::F32, 0, 4),
            tensor("b", DType::U8, 2, 4)
        ]
    );
    let pairs = [("format", "pt"), ("note", "")];
    assert_eq!(
        header.metadata,
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert_eq!(header.hash, blake3::hash(json.as_bytes()).to_hex().as_str());
}

#[test]
fn the_header_alone_is_enough() {
    let json = r#"{"a":{"dtype":"U8","shape":[1000],"data_offsets":[0,1000]}}"#;
    let bytes = file(json, 0);
    assert_eq!(
        Header::json_length(&bytes[..8], 1100).unwrap(),
        json.len() as u64
    );
    let header = Header::parse(&bytes, bytes.len() as u64 + 1000).unwrap();
    assert_eq!(header.tensors[0].info.elements(), 1000);
}

#[test]
fn a_file_without_tensors_is_sound() {
    let bytes = file("{}", 0);
    assert_eq!(Header::parse(&bytes, 10).unwrap().tensors, []);
}

/// Mostly sound entries in any order, and the number of bytes that they should account for.
fn nearly_sound_file() -> impl Strategy<Value = (Vec<String>, usize)> {
    // usually 0
    let slip = || prop_oneof![12 => Just(0_i64), 1 => -1..=1_i64];
    let dtype = prop::sample::select(vec!["U8", "F16", "F4", "BF17"]);
    let entry = (dtype, 0..4_i64, slip(), slip());
    (prop::collection::vec(entry, 0..4), slip(), any::<bool>()).prop_map(
        |(entries, end_slip, reversed)| {
            let mut position = 0;
            let mut texts = Vec::new();
            for (index, (dtype, size, begin_slip, end_slip)) in entries.into_iter().enumerate() {
                let bytes = match dtype {
                    "F16" => 2 * size,
                    "F4" => size / 2,
                    _ => size,
                };
                let (begin, end) = (position + begin_slip, position + bytes + end_slip);
                texts.push(format!(
                    r#""{index}":{{"dtype":"{dtype}","shape":[{size}],"data_offsets":[{begin},{end}]}}"#
                ));
                position += bytes;
            }
            if reversed {
                texts.reverse();
            }
            (texts, (position + end_slip).max(0) as usize)
        },
    )
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, size: u64) {
        let _ = Header::parse(&bytes, size);
        let _ = Header::parse(&bytes, bytes.len() as u64);
        let _ = Header::json_length(&bytes, size);
    }

    #[test]
    fn arbitrary_text_in_a_header_never_panics(text in any::<String>(), data in 0..20_usize) {
        let bytes = file(&format!("{{{text}"), data);
        let _ = Header::parse(&bytes, bytes.len() as u64);
    }

    #[test]
    fn what_the_safetensors_crate_accepts_is_accepted_and_nothing_else((entries, data) in nearly_sound_file()) {
        let bytes = file(&format!("{{{}}}", entries.join(",")), data);
        let ours = Header::parse(&bytes, bytes.len() as u64);
        let reference = safetensors::SafeTensors::deserialize(&bytes);
        prop_assert_eq!(ours.is_ok(), reference.is_ok(), "{:?} {:?}", ours, reference);
        if let (Ok(header), Ok(reference)) = (ours, reference) {
            prop_assert_eq!(header.tensors.len(), reference.len());
            for tensor in header.tensors {
                let begin = tensor.offset as usize;
                let end = begin + tensor.info.bytes() as usize;
                let view = reference.tensor(&tensor.name).unwrap();
                prop_assert_eq!(view.data().as_ptr_range(), bytes[begin..end].as_ptr_range());
            }
        }
    }
}

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

fn json_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"a\"",
        "\"b\"",
        "\"dtype\"",
        "\"shape\"",
        "\"data_offsets\"",
        "\"F32\"",
        "\"F4\"",
        "\"__metadata__\"",
        "0",
        "1",
        "4",
        "-1",
        "18446744073709551615",
        "null",
        "\"dtype\":\"F32\"",
        "\"shape\":[1]",
        "\"data_offsets\":[0,4]",
        "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}",
        "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[4,5]}",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| format!("{{{}", tokens.concat()))
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
    fn what_is_accepted_is_what_the_safetensors_crate_accepts(json in json_like(), data in 0..6_usize) {
        let bytes = file(&json, data);
        let ours = Header::parse(&bytes, bytes.len() as u64);
        let reference = safetensors::SafeTensors::deserialize(&bytes);
        // it overlooks duplicate names and takes null for no metadata
        if let Ok(header) = &ours {
            let reference = reference.expect("accepted by both");
            prop_assert_eq!(header.tensors.len(), reference.len());
            for tensor in &header.tensors {
                let view = reference.tensor(&tensor.name).unwrap();
                prop_assert_eq!(view.data().len() as u64, tensor.info.bytes());
            }
        }
    }
}

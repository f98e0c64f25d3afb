//! A corpus of files that are not what they should be: each gets its own error.

use std::path::Path;

use weightsmith_tensors::{Checkpoint, Error, Header, HeaderError, MAX_HEADER_BYTES};

/// A file of a header and so many bytes of data.
pub(crate) fn file(json: &str, data: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes.resize(bytes.len() + data, 0x5a);
    bytes
}

struct Case {
    /// What is wrong, in words.
    name: &'static str,
    bytes: Vec<u8>,
    /// The whole message.
    message: &'static str,
    is_expected: fn(&HeaderError) -> bool,
}

macro_rules! case {
    ($name:literal, $bytes:expr, $message:literal, $variant:ident) => {
        Case {
            name: $name,
            bytes: $bytes,
            message: $message,
            is_expected: |error| matches!(error, HeaderError::$variant { .. }),
        }
    };
}

/// Entry of a tensor.
fn tensor(name: &str, dtype: &str, shape: &str, begin: u64, end: u64) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
}

/// File of some entries.
fn tensors(entries: &[String], data: usize) -> Vec<u8> {
    file(&format!("{{{}}}", entries.join(",")), data)
}

/// Eight tensors of almost 2^61 bytes.
fn exbibytes() -> Vec<String> {
    let size = (1_u64 << 61) - 1;
    let entry = |index: u64| {
        let name = index.to_string();
        tensor(
            &name,
            "U8",
            &format!("[{size}]"),
            index * size,
            (index + 1) * size,
        )
    };
    (0..8).map(entry).collect()
}

fn files_that_are_no_safetensors() -> Vec<Case> {
    let length = |length: u64, rest: &[u8]| [&length.to_le_bytes(), rest].concat();
    vec![
        case!(
            "empty",
            vec![],
            "truncated: 0 bytes, the header asks for 8",
            Truncated
        ),
        case!(
            "seven bytes",
            vec![2, 0, 0, 0, 0, 0, 0],
            "truncated: 7 bytes, the header asks for 8",
            Truncated
        ),
        case!(
            "no header behind the length",
            length(2, b""),
            "truncated: 8 bytes, the header asks for 10",
            Truncated
        ),
        case!(
            "half a header",
            length(10, b"{\"a\""),
            "truncated: 12 bytes, the header asks for 18",
            Truncated
        ),
        case!(
            "longest header, not there",
            length(MAX_HEADER_BYTES, b"{}"),
            "truncated: 10 bytes, the header asks for 100000008",
            Truncated
        ),
        case!(
            "too long a header",
            length(MAX_HEADER_BYTES + 1, b"{}"),
            "not a safetensors file: a header of 100000001 bytes, at most 100000000 are allowed",
            TooLong
        ),
        case!(
            "length of all ones",
            length(u64::MAX, b"{}"),
            "not a safetensors file: a header of 18446744073709551615 bytes, at most 100000000 are allowed",
            TooLong
        ),
        case!(
            "a zip file, as torch writes",
            b"PK\x03\x04\0\0\x08\x08\0\0\0\0".to_vec(),
            "not a safetensors file: a header of 578712552184433488 bytes, at most 100000000 are allowed",
            TooLong
        ),
        case!(
            "no header",
            length(0, b""),
            "not a safetensors file: the header starts with nothing, not with `{`",
            NoBrace
        ),
        case!(
            "an array",
            file("[]", 0),
            "not a safetensors file: the header starts with byte 0x5b, not with `{`",
            NoBrace
        ),
        case!(
            "a blank in front",
            file(" {}", 0),
            "not a safetensors file: the header starts with byte 0x20, not with `{`",
            NoBrace
        ),
        case!(
            "not UTF-8",
            length(5, b"{\"\xff\"}"),
            "the header is not UTF-8 at byte 2",
            Utf8
        ),
    ]
}

fn headers_that_are_no_json() -> Vec<Case> {
    vec![
        case!(
            "unfinished",
            file("{\"a\"", 0),
            "the header is not valid at `a`: EOF while parsing an object at line 1 column 4",
            Json
        ),
        case!(
            "two objects",
            file("{}{}", 0),
            "the header is not valid: trailing characters at line 1 column 3",
            Json
        ),
        case!(
            "NUL padding",
            file("{}\0\0", 0),
            "the header is not valid: trailing characters at line 1 column 3",
            Json
        ),
        case!(
            "no type",
            file(r#"{"a":{"shape":[],"data_offsets":[0,1]}}"#, 1),
            "the header is not valid at `a`: missing field `dtype` at line 1 column 38",
            Json
        ),
        case!(
            "no shape",
            file(r#"{"a":{"dtype":"U8","data_offsets":[0,1]}}"#, 1),
            "the header is not valid at `a`: missing field `shape` at line 1 column 40",
            Json
        ),
        case!(
            "two types",
            file(
                r#"{"a":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}"#,
                1
            ),
            "the header is not valid at `a`: duplicate field `dtype` at line 1 column 26",
            Json
        ),
        case!(
            "a negative size",
            tensors(&[tensor("a", "U8", "[-1]", 0, 1)], 1),
            "the header is not valid at `a`: invalid value: integer `-1`, expected u64 at line 1 column 30",
            Json
        ),
        case!(
            "a fraction of a size",
            tensors(&[tensor("a", "U8", "[1.0]", 0, 1)], 1),
            "the header is not valid at `a`: invalid type: floating point `1.0`, expected u64 at line 1 column 31",
            Json
        ),
        case!(
            "one offset",
            file(r#"{"a":{"dtype":"U8","shape":[],"data_offsets":[0]}}"#, 1),
            "the header is not valid at `a`: invalid length 1, expected a tuple of size 2 at line 1 column 48",
            Json
        ),
        case!(
            "a tensor that is a number",
            file(r#"{"a":1}"#, 0),
            "the header is not valid at `a`: invalid type: integer `1`, expected an object with `dtype`, `shape` and `data_offsets` at line 1 column 6",
            Json
        ),
        case!(
            "metadata that is null",
            file(r#"{"__metadata__":null}"#, 0),
            "the header is not valid at `__metadata__`: invalid type: null, expected an object of strings at line 1 column 20",
            Json
        ),
    ]
}

fn headers_that_contradict_themselves() -> Vec<Case> {
    let a = || tensor("a", "U8", "[4]", 0, 4);
    vec![
        case!(
            "a name twice",
            tensors(&[a(), tensor("a", "U8", "[2]", 4, 6)], 6),
            "tensor `a` is in the header twice",
            DuplicateTensor
        ),
        case!(
            "metadata twice",
            file(r#"{"__metadata__":{},"__metadata__":{}}"#, 0),
            "key `__metadata__` is in the header's metadata twice",
            DuplicateMetadata
        ),
        case!(
            "a key of the metadata twice",
            file(r#"{"__metadata__":{"k":"1","k":"1"}}"#, 0),
            "key `k` is in the header's metadata twice",
            DuplicateMetadata
        ),
        case!(
            "metadata of numbers",
            file(r#"{"__metadata__":{"k":1}}"#, 0),
            "metadata `k` is a number, not a string",
            MetadataNotString
        ),
        case!(
            "metadata of objects",
            file(r#"{"__metadata__":{"k":{"l":"m"}}}"#, 0),
            "metadata `k` is an object, not a string",
            MetadataNotString
        ),
        case!(
            "an unknown type",
            tensors(&[tensor("a", "F128", "[]", 0, 16)], 16),
            "tensor `a`: `F128` is not a safetensors element type",
            UnknownDType
        ),
        case!(
            "a type in small letters",
            tensors(&[tensor("a", "f32", "[]", 0, 4)], 4),
            "tensor `a`: `f32` is not a safetensors element type",
            UnknownDType
        ),
        case!(
            "too many elements",
            tensors(&[tensor("a", "U8", "[4294967296,4294967296]", 0, 1)], 1),
            "tensor `a`: the size of U8[4294967296, 4294967296] does not fit 64 bits",
            SizeOverflow
        ),
        case!(
            "too many elements times zero",
            tensors(&[tensor("a", "U8", "[4294967296,4294967296,0]", 0, 0)], 0),
            "tensor `a`: the size of U8[4294967296, 4294967296, 0] does not fit 64 bits",
            SizeOverflow
        ),
        case!(
            "too many bits",
            tensors(&[tensor("a", "F64", "[1152921504606846976]", 0, 1)], 1),
            "tensor `a`: the size of F64[1152921504606846976] does not fit 64 bits",
            SizeOverflow
        ),
        case!(
            "half a byte",
            tensors(&[tensor("a", "F4", "[3]", 0, 2)], 2),
            "tensor `a`: F4[3] has 12 bits, which do not fill whole bytes",
            PartialByte
        ),
        case!(
            "six bits",
            tensors(&[tensor("a", "F6_E2M3", "[1]", 0, 1)], 1),
            "tensor `a`: F6_E2M3[1] has 6 bits, which do not fill whole bytes",
            PartialByte
        ),
        case!(
            "offsets the wrong way round",
            tensors(&[tensor("a", "U8", "[4]", 4, 0)], 4),
            "tensor `a`: its bytes end at 0, before they begin at 4",
            ReversedOffsets
        ),
        case!(
            "too few bytes",
            tensors(&[tensor("a", "F32", "[2]", 0, 4)], 4),
            "tensor `a`: 4 bytes, F32[2] takes 8",
            SizeMismatch
        ),
        case!(
            "too many bytes",
            tensors(&[tensor("a", "F32", "[]", 0, 8)], 8),
            "tensor `a`: 8 bytes, F32[] takes 4",
            SizeMismatch
        ),
        case!(
            "an exabyte promised",
            tensors(
                &[tensor("a", "U8", "[2305843009213693951]", 0, (1 << 61) - 1)],
                4
            ),
            "truncated: 101 bytes, the header asks for 2305843009213694048",
            Truncated
        ),
        case!(
            "an overlap",
            tensors(&[a(), tensor("b", "U8", "[4]", 2, 6)], 6),
            "tensor `b` begins at byte 2, before `a` ends at 4",
            Overlap
        ),
        case!(
            "the same bytes twice",
            tensors(&[a(), tensor("b", "U8", "[4]", 0, 4)], 4),
            "tensor `b` begins at byte 0, before `a` ends at 4",
            Overlap
        ),
        case!(
            "nothing amid another tensor",
            tensors(&[a(), tensor("b", "U8", "[0]", 2, 2)], 4),
            "tensor `b` begins at byte 2, before `a` ends at 4",
            Overlap
        ),
        case!(
            "a hole",
            tensors(&[a(), tensor("b", "U8", "[2]", 5, 7)], 7),
            "tensor `b` begins at byte 5, where 4 was expected: the bytes between belong to no tensor",
            Hole
        ),
        case!(
            "a hole in front",
            tensors(&[tensor("a", "U8", "[4]", 1, 5)], 5),
            "tensor `a` begins at byte 1, where 0 was expected: the bytes between belong to no tensor",
            Hole
        ),
        case!(
            "far out of bounds",
            tensors(&[tensor("a", "U8", "[1]", u64::MAX - 1, u64::MAX)], 4),
            "tensor `a` begins at byte 18446744073709551614, where 0 was expected: the bytes between belong to no tensor",
            Hole
        ),
        case!(
            "beyond any file",
            tensors(&exbibytes(), 0),
            "tensor `7`: its bytes end at 18446744073709551608, out of any file's bounds",
            OutOfBounds
        ),
        case!(
            "data cut off",
            tensors(&[a()], 3),
            "truncated: 64 bytes, the header asks for 65",
            Truncated
        ),
        case!(
            "data behind the last tensor",
            tensors(&[a()], 5),
            "66 bytes, the header accounts for 65",
            TrailingBytes
        ),
        case!(
            "data without tensors",
            file("{}", 1),
            "11 bytes, the header accounts for 10",
            TrailingBytes
        ),
    ]
}

#[test]
fn every_malformed_file_has_its_error() {
    let cases = [
        files_that_are_no_safetensors(),
        headers_that_are_no_json(),
        headers_that_contradict_themselves(),
    ];
    for case in cases.into_iter().flatten() {
        let error = Header::parse(&case.bytes, case.bytes.len() as u64).expect_err(case.name);
        assert_eq!(error.to_string(), case.message, "{}", case.name);
        assert!((case.is_expected)(&error), "{}: {error:?}", case.name);
    }
}

#[test]
fn the_parts_of_a_header_are_bounded() {
    let problem = |json: &str| {
        let bytes = file(json, 0);
        Header::parse(&bytes, bytes.len() as u64)
            .unwrap_err()
            .to_string()
    };
    let entry = r#"{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#;

    let axes = ["1"; 65].join(",");
    let long = problem(&format!(
        r#"{{"a":{{"dtype":"U8","shape":[{axes}],"data_offsets":[0,1]}}}}"#
    ));
    assert!(
        long.contains("at `a`: a shape of more than 64 axes at line 1"),
        "{long}"
    );

    let name = "x".repeat(4097);
    let long = problem(&format!(r#"{{"{name}":{entry}}}"#));
    assert!(
        long.contains("a tensor's name has 4097 bytes, at most 4096 are allowed"),
        "{long}"
    );

    let pairs: Vec<String> = (0..100_001).map(|key| format!("\"{key}\":\"\"")).collect();
    let long = problem(&format!(r#"{{"__metadata__":{{{}}}}}"#, pairs.join(",")));
    assert!(
        long.contains("at `__metadata__`: more than 100000 entries"),
        "{long}"
    );

    let pairs: Vec<String> = (0..1_000_001)
        .map(|name| format!("\"{name}\":{entry}"))
        .collect();
    let long = problem(&format!("{{{}}}", pairs.join(",")));
    assert!(long.contains("more than 1000000 tensors"), "{long}");
}

#[test]
fn a_long_text_in_the_wrong_place_is_not_quoted_whole() {
    let text = "é".repeat(10_000);
    let json = format!(r#"{{"a":{{"dtype":"U8","shape":"{text}","data_offsets":[0,1]}}}}"#);
    let bytes = file(&json, 0);
    let error = Header::parse(&bytes, bytes.len() as u64)
        .unwrap_err()
        .to_string();
    assert!(error.len() < 500, "{error}");
    assert!(error.contains("é… at line 1 column 200"), "{error}");
}

#[test]
fn nested_json_does_not_exhaust_the_stack() {
    for open in ["[", "{\"a\":"] {
        let json = format!("{{\"a\":{}", open.repeat(1_000_000));
        let bytes = file(&json, 0);
        let error = Header::parse(&bytes, bytes.len() as u64).unwrap_err();
        assert!(matches!(error, HeaderError::Json { .. }), "{error}");
    }
    let unknown = format!("{{\"a\":{{\"x\":{}", "[".repeat(1_000_000));
    let bytes = file(&unknown, 0);
    assert!(Header::parse(&bytes, bytes.len() as u64).is_err());
    let metadata = format!("{{\"__metadata__\":{{\"x\":{}", "[".repeat(1_000_000));
    let bytes = file(&metadata, 0);
    assert!(Header::parse(&bytes, bytes.len() as u64).is_err());
}

#[test]
fn the_error_of_a_file_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let write = |bytes: &[u8]| fs_err::write(&path, bytes).unwrap();
    let error = || Checkpoint::open(folder.path()).unwrap_err();

    write(&tensors(&[tensor("a", "U8", "[4]", 0, 4)], 3));
    let Error::Truncated {
        path: named,
        found: 64,
        expected: 65,
    } = error()
    else {
        panic!("{}", error());
    };
    assert_eq!(named, path);

    write(&file("[]", 0));
    assert_eq!(
        error().to_string(),
        format!(
            "{}: not a safetensors file: the header starts with byte 0x5b, not with `{{`",
            path.display()
        )
    );

    write(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
    assert!(matches!(error(), Error::GitLfsPointer { path: named, found: 63 } if named == path));

    write(b"");
    assert!(
        matches!(error(), Error::OtherContent { path: named, content: "an empty file" } if named == path)
    );
    write(b"\x40\0\0");
    assert!(matches!(
        error(),
        Error::Truncated {
            found: 3,
            expected: 8,
            ..
        }
    ));
    assert!(Checkpoint::open(Path::new("/nowhere/at/all")).is_err());
}

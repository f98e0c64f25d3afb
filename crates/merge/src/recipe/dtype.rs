//! Names of the types that a merge can be written in.

use weightsmith_tensors::DType;

use super::suggest::closest;

/// The names that a recipe may use, as torch spells them.
pub(super) const NAMES: [&str; 4] = ["bfloat16", "float16", "float32", "float64"];

/// Shorter and foreign spellings that people use, with what they mean.
const ALIASES: [(&str, &str); 16] = [
    ("bf16", "bfloat16"),
    ("brain", "bfloat16"),
    ("fp16", "float16"),
    ("f16", "float16"),
    ("half", "float16"),
    ("fp32", "float32"),
    ("f32", "float32"),
    ("full", "float32"),
    ("float", "float32"),
    ("single", "float32"),
    ("fp64", "float64"),
    ("f64", "float64"),
    ("double", "float64"),
    ("16", "float16"),
    ("32", "float32"),
    ("64", "float64"),
];

/// The type of that name; a leading `torch.` is allowed.
pub(super) fn parse(name: &str) -> Option<DType> {
    match name.strip_prefix("torch.").unwrap_or(name) {
        "bfloat16" => Some(DType::BF16),
        "float16" => Some(DType::F16),
        "float32" => Some(DType::F32),
        "float64" => Some(DType::F64),
        _ => None,
    }
}

/// What a name that is none of [`NAMES`] probably means.
pub(super) fn suggest(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("torch.").unwrap_or(name);
    ALIASES
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
        .map(|(_, meant)| *meant)
        .or_else(|| closest(name, NAMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_with_and_without_torch() {
        for name in NAMES {
            let dtype = parse(name).expect("a listed name");
            assert_eq!(dtype.torch_name(), Some(name));
            assert_eq!(parse(&format!("torch.{name}")), Some(dtype));
        }
    }

    #[test]
    fn other_types_and_spellings_are_refused() {
        for name in ["int64", "bf16", "BFLOAT16", "float8_e4m3fn", "", "torch."] {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    fn short_names_and_typos_lead_to_the_full_name() {
        assert_eq!(suggest("bf16"), Some("bfloat16"));
        assert_eq!(suggest("FP16"), Some("float16"));
        assert_eq!(suggest("bfloat"), Some("bfloat16"));
        assert_eq!(suggest("torch.half"), Some("float16"));
        assert_eq!(suggest("int8"), None);
    }
}

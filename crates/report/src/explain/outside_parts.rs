//! What the tensors outside the layers are called.

/// Ends of names, or parts of them, of what turns tokens and positions into vectors.
const EMBEDDINGS: &[&str] = &[
    "embed_tokens",
    "embeddings",
    "embed_positions",
    "wte",
    "wpe",
    "embed_in",
    "embedding",
    "shared",
];
/// The same for what turns vectors into tokens.
const HEADS: &[&str] = &["lm_head", "embed_out", "output", "cls", "proj_out"];
/// The same for the normalisation behind the last layer.
const NORMS: &[&str] = &[
    "norm",
    "norm_f",
    "ln_f",
    "final_layer_norm",
    "final_layernorm",
    "layer_norm",
];

/// `embeddings`, `final norm`, `output head`, the name of a further stack of layers (`encoder.layers.*`), or the
/// module that the tensor belongs to.
pub(super) fn part(tensor: &str, before_layers: bool) -> String {
    let has = |words: &[&str]| {
        tensor
            .split('.')
            .any(|component| words.contains(&component))
    };
    if let Some(stack) = numbered_stack(tensor) {
        format!("{stack}.*")
    } else if has(HEADS) {
        "output head".to_owned()
    } else if has(EMBEDDINGS) {
        "embeddings".to_owned()
    } else if has(NORMS) && !before_layers {
        "final norm".to_owned()
    } else {
        let module = tensor
            .strip_suffix(".weight")
            .or(tensor.strip_suffix(".bias"));
        module.unwrap_or(tensor).to_owned()
    }
}

/// What stands before the first number in a name: `encoder.layers` of `encoder.layers.3.fc1.weight`.
fn numbered_stack(tensor: &str) -> Option<&str> {
    let mut end = 0;
    for component in tensor.split('.') {
        if end > 0 && component.bytes().all(|byte| byte.is_ascii_digit()) {
            return tensor.get(..end - 1);
        }
        end += component.len() + 1;
    }
    None
}

/// Adds a part to a list unless it is there.
pub(super) fn add_part(parts: &mut Vec<String>, part: String) {
    if !parts.contains(&part) {
        parts.push(part);
    }
}

/// `embeddings, final norm`, shortened after a few.
pub(super) fn parts_in_words(parts: &[String]) -> String {
    const SHOWN: usize = 4;
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if parts.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        many => format!(
            "{} and {} other tensors",
            many[..SHOWN - 1].join(", "),
            many.len() + 1 - SHOWN
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_names_are_parts() {
        for (tensor, before, expected) in [
            ("model.embed_tokens.weight", true, "embeddings"),
            ("transformer.wte.weight", true, "embeddings"),
            ("embeddings.LayerNorm.weight", true, "embeddings"),
            ("model.norm.weight", false, "final norm"),
            ("transformer.ln_f.bias", false, "final norm"),
            ("lm_head.weight", false, "output head"),
            ("pooler.dense.weight", false, "pooler.dense"),
            ("encoder.layers.3.output.weight", false, "encoder.layers.*"),
        ] {
            assert_eq!(part(tensor, before), expected);
        }
    }

    #[test]
    fn a_long_list_is_shortened() {
        let parts: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        assert_eq!(parts_in_words(&parts[..3]), "a, b and c");
        assert_eq!(parts_in_words(&parts), "a, b, c and 3 other tensors");
    }
}

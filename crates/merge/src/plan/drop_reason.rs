//! Why a tensor of an input does not reach the result.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// Why a tensor of an input does not reach the result.
///
/// Displayed it is a clause: `layer 5 is in no slice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DropReason {
    /// No slice takes its layer.
    UnusedLayer {
        /// The layer.
        layer: u64,
    },
    /// It is a head that is the embedding in the result.
    TiedHead,
    /// The index of its model lists other tensors alone.
    NotIndexed,
    /// It lies outside the layers, and another slice gives the tensors on its side.
    OtherSide,
    /// It lies outside the layers, and its model is in neither the first nor the last slice.
    NotAtTheEnds,
    /// The method takes the base's, since too few inputs have it.
    TooFewInputs {
        /// The method.
        method: String,
    },
    /// The method needs the base's, and there is none.
    NotInTheBase {
        /// The method.
        method: String,
    },
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusedLayer { layer } => write!(f, "layer {layer} is in no slice"),
            Self::TiedHead => f.write_str("the head is tied to the embedding"),
            Self::NotIndexed => f.write_str("its model's index does not name it"),
            Self::OtherSide => f.write_str(
                "tensors before the layers come from the first slice, those after them from the last",
            ),
            Self::NotAtTheEnds => {
                f.write_str("its model is in neither the first nor the last slice")
            }
            Self::TooFewInputs { method } => write!(
                f,
                "too few inputs have it for `{method}`, which copies the base's"
            ),
            Self::NotInTheBase { method } => write!(
                f,
                "the base model has no such tensor, which `{method}` needs"
            ),
        }
    }
}

/// Writes a reason with its words beside its kind.
pub(super) fn with_words<S: Serializer>(
    reason: &DropReason,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Worded<'a> {
        #[serde(flatten)]
        reason: &'a DropReason,
        words: String,
    }
    let words = reason.to_string();
    Worded { reason, words }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dropped;

    #[test]
    fn a_reason_is_written_as_kind_and_words_and_read_by_its_kind() {
        let dropped = Dropped {
            input: 1,
            tensor: "model.layers.5.mlp.up_proj.weight".into(),
            reason: DropReason::UnusedLayer { layer: 5 },
        };
        let json = serde_json::to_value(&dropped).unwrap();
        assert_eq!(
            json["reason"],
            serde_json::json!({"kind": "unused_layer", "layer": 5, "words": "layer 5 is in no slice"})
        );
        assert_eq!(serde_json::from_value::<Dropped>(json).unwrap(), dropped);
    }
}

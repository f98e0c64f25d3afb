//! The architecture of a checkpoint, from its headers.

use serde_json::Value;
use weightsmith_tensors::TensorEntry;

use super::config_keys::{self, LayerCount, value_at};
use super::facts::{Facts, ties_by_default};
use super::place::{self, LayerPlace};
use super::stacks::{self, LayerPosition, LayerStack};
use super::vocabulary::{self, VocabularyRole, VocabularyTensor, ends_with_part};

/// Ends of the names of buffers that any family's loader computes by itself.
const BUFFERS: [&str; 4] = [
    "rotary_emb.inv_freq",
    "position_ids",
    "masked_bias",
    "num_batches_tracked",
];

/// What a checkpoint is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    model_type: Option<String>,
    facts: Option<&'static Facts>,
    stacks: Vec<LayerStack>,
    main: Option<usize>,
    layer_count: Option<LayerCount>,
    vocabulary: Vec<VocabularyTensor>,
    vocab_size: Option<u64>,
    declared_tie: Option<bool>,
    loose: usize,
}

impl Architecture {
    /// Infers it from the headers of a checkpoint and, where there is one, its `config.json`.
    pub fn infer(config: Option<&Value>, tensors: &[TensorEntry]) -> Self {
        let text_path = config.map_or(&[][..], config_keys::text_config_path);
        let text = config.and_then(|config| value_at(config, text_path));
        let model_type = config
            .and_then(|config| config.get("model_type"))
            .and_then(Value::as_str);
        let text_type = text
            .and_then(|text| text.get("model_type"))
            .and_then(Value::as_str);
        let facts = [text_type, model_type]
            .into_iter()
            .flatten()
            .find_map(Facts::of);
        let stacks = stacks::find(tensors);
        let main = choose_main(config, facts, &stacks);
        let layer_count = config.map(|config| {
            config_keys::locate_layer_count(config, facts, main.map(|main| &stacks[main]))
        });
        let vocab_size = config.and_then(|config| vocabulary::vocab_size(config, text_path));
        let tie = |value: Option<&Value>| value?.get("tie_word_embeddings")?.as_bool();
        let declared_tie = tie(config).or_else(|| tie(text)).or_else(|| {
            [model_type, text_type]
                .into_iter()
                .flatten()
                .find_map(ties_by_default)
        });
        Self {
            model_type: model_type.map(str::to_owned),
            facts,
            main,
            layer_count,
            vocabulary: vocabulary::find(tensors, vocab_size, facts),
            vocab_size,
            declared_tie,
            loose: tensors
                .iter()
                .filter(|tensor| stacks::split(&tensor.name).is_none())
                .count(),
            stacks,
        }
    }

    /// `model_type` of `config.json`.
    pub fn model_type(&self) -> Option<&str> {
        self.model_type.as_deref()
    }

    /// The table's facts about the family, of the language model in a multimodal one; `None` where all is inferred.
    pub fn facts(&self) -> Option<&'static Facts> {
        self.facts
    }

    /// Every layer stack, sorted by prefix.
    pub fn stacks(&self) -> &[LayerStack] {
        &self.stacks
    }

    /// Index of the stack that slices apply to.
    pub fn main_stack(&self) -> Option<usize> {
        self.main
    }

    /// The number of layers that slices may name: the main stack's, or 0 without one.
    ///
    /// Where `config.json` counts fewer layers than the checkpoint has and says that the others predict further tokens
    /// (`num_nextn_predict_layers`), they still count here: every tensor is somebody's.
    pub fn layers(&self) -> u64 {
        self.main.map_or(0, |main| self.stacks[main].count)
    }

    /// The layers that `config.json` counts, of those that there are: all but the ones that predict further tokens.
    pub fn counted_layers(&self) -> u64 {
        let counted = self.layer_count.as_ref().and_then(|count| count.value);
        counted.map_or(self.layers(), |counted| counted.min(self.layers()))
    }

    /// Where `config.json` holds the main stack's layer count; `None` without a config.
    pub fn layer_count(&self) -> Option<&LayerCount> {
        self.layer_count.as_ref()
    }

    /// Number of tensors outside of all layers.
    pub fn loose_tensors(&self) -> usize {
        self.loose
    }

    /// The layer that a name belongs to, in whichever stack; also for names that this checkpoint lacks.
    pub fn layer_of<'a>(&self, name: &'a str) -> Option<LayerPosition<'a>> {
        let split = stacks::split(name)?;
        let stack = self
            .stacks
            .binary_search_by(|stack| stack.prefix.as_str().cmp(split.prefix))
            .ok()?;
        Some(LayerPosition {
            stack,
            prefix: split.prefix,
            index: split.index,
            rest: split.rest,
        })
    }

    /// The name with another layer number; the name itself outside the layers.
    pub fn rename_layer(&self, name: &str, index: u64) -> String {
        self.layer_of(name)
            .map_or_else(|| name.to_owned(), |position| position.renamed(index))
    }

    /// Where a tensor stands relative to the layers.
    pub fn place(&self, name: &str) -> LayerPlace {
        if let Some(position) = self.layer_of(name) {
            return LayerPlace::Layer {
                stack: position.stack,
                index: position.index,
            };
        }
        let before = match self.vocabulary_tensor(name).map(|tensor| tensor.role) {
            Some(VocabularyRole::Embedding) => true,
            Some(VocabularyRole::Head | VocabularyRole::Bias) => false,
            None if self.is_head(name) || place::is_further_head(name) => false,
            None => place::looks_before(name) || self.feeds_main(name),
        };
        if before {
            LayerPlace::Before
        } else {
            LayerPlace::After
        }
    }

    /// Whether a loose tensor belongs to another stack's module, such as the final norm of an encoder.
    fn feeds_main(&self, name: &str) -> bool {
        let Some(main) = self.main else {
            return false;
        };
        let module = |stack: &LayerStack| {
            let path = stack.prefix.trim_end_matches('.');
            path.rsplit_once('.')
                .map(|(module, _)| format!("{module}."))
        };
        let main_module = module(&self.stacks[main]).unwrap_or_default();
        self.stacks.iter().enumerate().any(|(index, stack)| {
            index != main
                && module(stack).is_some_and(|module| {
                    !main_module.starts_with(&module) && name.starts_with(&module)
                })
        })
    }

    /// Every tensor with one row per token, in the checkpoint's order.
    pub fn vocabulary(&self) -> &[VocabularyTensor] {
        &self.vocabulary
    }

    /// The vocabulary tensor of that name.
    pub fn vocabulary_tensor(&self, name: &str) -> Option<&VocabularyTensor> {
        self.vocabulary.iter().find(|tensor| tensor.name == name)
    }

    /// Rows of the input embedding.
    pub fn vocabulary_rows(&self) -> Option<u64> {
        self.embedding().map(|tensor| tensor.rows)
    }

    /// `vocab_size` of `config.json`.
    pub fn config_vocab_size(&self) -> Option<u64> {
        self.vocab_size
    }

    /// The input embedding.
    pub fn embedding(&self) -> Option<&VocabularyTensor> {
        self.role(VocabularyRole::Embedding)
    }

    /// The output head, where the checkpoint holds one.
    pub fn head(&self) -> Option<&VocabularyTensor> {
        self.role(VocabularyRole::Head)
    }

    fn role(&self, role: VocabularyRole) -> Option<&VocabularyTensor> {
        self.vocabulary.iter().find(|tensor| tensor.role == role)
    }

    /// Whether the output head is the input embedding: by `tie_word_embeddings`, else by the family's default, else when
    /// the checkpoint has an embedding and no head.
    pub fn is_tied(&self) -> bool {
        self.declared_tie
            .unwrap_or_else(|| self.embedding().is_some() && self.head().is_none())
    }

    /// The tensor that a head's values are read from where the head itself is not stored.
    pub fn tied_source(&self, name: &str) -> Option<&str> {
        if !self.is_tied() || !self.is_head(name) {
            return None;
        }
        self.embedding().map(|tensor| tensor.name.as_str())
    }

    /// Whether a name is that of an output head's weight.
    pub fn is_head(&self, name: &str) -> bool {
        if let Some(tensor) = self.vocabulary_tensor(name) {
            return tensor.role == VocabularyRole::Head;
        }
        let head = self.facts.map_or("lm_head.weight", |facts| facts.head);
        ends_with_part(name, head)
    }

    /// Whether a checkpoint of this family may lack a tensor: a tied head, or a buffer that is computed on loading.
    pub fn is_optional(&self, name: &str) -> bool {
        let of_family = self.facts.map_or(&[][..], |facts| facts.optional);
        BUFFERS
            .iter()
            .chain(of_family)
            .any(|end| ends_with_part(name, end))
            || (self.is_tied() && self.is_head(name))
    }

    /// Other names that the same tensor has in other checkpoints of the family, most likely first.
    pub fn aliases(&self, name: &str) -> Vec<String> {
        let mut names = Vec::new();
        let Some(facts) = self.facts else {
            return names;
        };
        for (one, other) in facts.aliases {
            for (from, to) in [(one, other), (other, one)] {
                if ends_with_part(name, from) {
                    names.push(format!("{}{to}", &name[..name.len() - from.len()]));
                }
            }
        }
        if !facts.base_prefix.is_empty() {
            match name.strip_prefix(facts.base_prefix) {
                Some(rest) => names.push(rest.to_owned()),
                None => names.push(format!("{}{name}", facts.base_prefix)),
            }
        }
        names
    }
}

/// The stack that slices apply to: the language model's rather than a vision encoder's, the decoder's rather than the
/// encoder's, the one that is as long as `config.json` says, the largest.
fn choose_main(
    config: Option<&Value>,
    facts: Option<&Facts>,
    stacks: &[LayerStack],
) -> Option<usize> {
    let last_of_family = facts.and_then(|facts| facts.stacks.last());
    let rank = |stack: &LayerStack| {
        let counted = config
            .map(|config| config_keys::locate_layer_count(config, facts, Some(stack)))
            .and_then(|count| count.value);
        (
            last_of_family.is_some_and(|last| stack.prefix.ends_with(last.prefix_end)),
            !place::is_other_encoder(&stack.prefix) && !place::is_further_head(&stack.prefix),
            counted == Some(stack.count),
            !stack.prefix.split('.').any(|part| part == "encoder"),
            stack.elements,
        )
    };
    // of equals the first one, so that the choice does not hang on an iterator's habits
    let mut best: Option<usize> = None;
    for (index, stack) in stacks.iter().enumerate() {
        if best.is_none_or(|best| rank(stack) > rank(&stacks[best])) {
            best = Some(index);
        }
    }
    best
}

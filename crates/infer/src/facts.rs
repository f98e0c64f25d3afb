//! What is known of a model before it is loaded.

/// What headers and `config.json` tell of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelFacts {
    /// Whether it is merged when it is loaded.
    pub is_merge: bool,
    /// Number of parameters.
    pub parameters: u64,
    /// Memory of its weights when it is loaded, by estimate.
    pub bytes: u64,
    /// Type of its weights, such as `BF16`.
    pub weights_type: String,
    /// Its architecture, such as `Qwen2ForCausalLM`.
    pub architecture: String,
    /// Positions that it was made for.
    pub context_trained: usize,
    /// Tokens of its vocabulary.
    pub vocabulary: usize,
    /// What a hosted model of its size costs of a plan's concurrency.
    pub concurrency_units: u32,
    /// When its files were last changed, in seconds since 1970.
    pub created: u64,
}

impl ModelFacts {
    /// The same where weights are kept in Q8_0.
    #[must_use]
    pub fn in_q8_0(self) -> Self {
        Self {
            // eight bits for each weight, and sixteen for each 32
            bytes: self.parameters / 32 * 34,
            weights_type: "Q8_0".to_owned(),
            ..self
        }
    }
}

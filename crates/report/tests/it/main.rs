//! What users see, for plans whose right explanation is known.

mod explanations;

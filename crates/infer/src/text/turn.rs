//! How a chat template ends an answer.

use super::{Companions, Message, TemplateOptions};

/// A text that no template has.
const ANSWER: &str = "weightsmith-answer";

impl Companions {
    /// The special token that the chat template puts behind an answer, such as `<|im_end|>`.
    ///
    /// A merge may have the template of a model that names another end of text: its answers end with this token all the same.
    pub fn turn_end(&self) -> Option<u32> {
        let messages = [Message::new("user", "?"), Message::new("assistant", ANSWER)];
        let template = self.template.as_ref()?;
        let text = template
            .render(&messages, &TemplateOptions::default())
            .ok()?;
        let behind = text.rsplit_once(ANSWER)?.1.trim_start();
        let token = *self.tokenizer.encode(behind, false).ok()?.first()?;
        let name = self.tokenizer.name(token)?;
        // a special token stands there as it is called, and has no text of its own
        let is_special = self
            .tokenizer
            .decode(&[token], true)
            .is_ok_and(|text| text.is_empty());
        (is_special && behind.starts_with(&name)).then_some(token)
    }
}

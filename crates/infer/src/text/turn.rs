//! How a chat template ends an answer.

use super::{Companions, Message, TemplateOptions};
use crate::GenerationSettings;

/// Texts that no template has.
const ANSWER: &str = "weightsmith-answer";
const QUESTION: &str = "weightsmith-question";

/// What ends an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TurnEnd {
    /// A token.
    Token(u32),
    /// A text that the tokenizer knows no token for.
    Text(String),
}

impl Companions {
    /// The token that the chat template puts behind an answer, such as `<|im_end|>`, whatever flags it has.
    ///
    /// A merge may have the template of a model that names another end of text: its answers end with this token all the same.
    pub fn turn_end(&self) -> Option<u32> {
        match self.end_of_turn() {
            Some(TurnEnd::Token(token)) => Some(*token),
            _ => None,
        }
    }

    /// The text that ends an answer where no token does, such as `</s>` in plain letters, or the next turn's `\nUser:`.
    pub fn turn_stop(&self) -> Option<&str> {
        match self.end_of_turn() {
            Some(TurnEnd::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Has a generation end where the template ends an answer.
    pub fn end_turns(&self, settings: &mut GenerationSettings) {
        settings.end.extend(self.turn_end());
        settings.stop.extend(self.turn_stop().map(str::to_owned));
    }

    fn end_of_turn(&self) -> Option<&TurnEnd> {
        self.turn_end
            .get_or_init(|| {
                // at the end of a conversation, or where the next turn begins if nothing stands there
                let last = self.behind_answer(false).unwrap_or_default();
                let next = || self.behind_answer(true).unwrap_or_default();
                self.end_in(&last).or_else(|| self.end_in(&next()))
            })
            .as_ref()
    }

    /// What the template puts behind an answer, up to the question that follows it if one does.
    fn behind_answer(&self, followed: bool) -> Option<String> {
        let mut messages = vec![Message::new("user", "?"), Message::new("assistant", ANSWER)];
        messages.extend(followed.then(|| Message::new("user", QUESTION)));
        let template = self.template.as_ref()?;
        let options = TemplateOptions::default();
        let text = template.render(&messages, &options).ok()?;
        let (_, behind) = text.rsplit_once(ANSWER)?;
        if followed {
            return Some(behind.split_once(QUESTION)?.0.to_owned());
        }
        Some(behind.to_owned())
    }

    fn end_in(&self, behind: &str) -> Option<TurnEnd> {
        let found = behind.trim_start();
        if found.is_empty() {
            return None;
        }
        if let Some(token) = self.marker(found) {
            return Some(TurnEnd::Token(token));
        }
        let line = behind.trim_start_matches(' ').trim_end();
        let stop = if line.starts_with(['\n', '\r']) {
            line
        } else {
            found.trim_end()
        };
        is_stop(stop).then(|| TurnEnd::Text(stop.to_owned()))
    }

    /// The token that a text begins with, if it marks something: added to the vocabulary, or written like a mark.
    fn marker(&self, text: &str) -> Option<u32> {
        let token = *self.tokenizer.encode(text, false).ok()?.first()?;
        // such a token stands there as it is called
        let name = self.tokenizer.name(token)?;
        let stands = !name.is_empty() && text.starts_with(&name);
        let is_mark = self.tokenizer.is_special(token)
            || self.tokenizer.is_added(token) && is_odd(&name)
            || self.special.named.iter().any(|(_, named)| *named == name)
            || is_mark(&name);
        (stands && is_mark).then_some(token)
    }
}

/// Whether a token's name looks like a mark: `<|end|>`, `</s>`, `[END]`.
fn is_mark(name: &str) -> bool {
    let pairs = [('<', '>'), ('[', ']')];
    name.chars().count() > 2
        && pairs
            .iter()
            .any(|&(open, close)| name.starts_with(open) && name.ends_with(close))
}

/// Whether a token that somebody added is no mere word or sign.
fn is_odd(name: &str) -> bool {
    name.chars().count() > 2 && !name.chars().all(char::is_alphanumeric)
}

/// Whether a text can end an answer: no word or sign that an answer may well have.
fn is_stop(text: &str) -> bool {
    let is_line = text.starts_with(['\n', '\r']);
    let mark = text.starts_with(|first: char| first.is_ascii_punctuation());
    let inner = text.trim();
    let letters = inner.chars().filter(|letter| letter.is_alphanumeric());
    !inner.is_empty() && letters.count() > 0 && (is_line || mark && inner.chars().count() > 2)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use weightsmith_tensors::testing::MemoryFiles;

    use super::*;

    const CHATML: &str = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}";
    const LLAMA_3: &str = "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}";
    const GEMMA: &str = "{% for m in messages %}{{ '<start_of_turn>' + m.role + '\n' + m.content + '<end_of_turn>\n' }}{% endfor %}";
    const MISTRAL: &str = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}{% else %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}";
    const NEXT_ONLY: &str =
        "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content }}{% endfor %}";
    const PLAIN: &str =
        "{% for m in messages %}{{ m.role | capitalize + ': ' + m.content + '\n' }}{% endfor %}";

    /// A model of single letters and some other tokens, added or in the vocabulary.
    fn companions(
        template: &str,
        added: &[(&str, bool)],
        ordinary: &[&str],
        eos: &str,
    ) -> Companions {
        let letters = (' '..='~').chain(['\n']).map(String::from);
        let pieces: Vec<String> = letters
            .chain(ordinary.iter().map(|&one| one.to_owned()))
            .collect();
        let first = pieces.len();
        let vocab: Vec<Value> = pieces.iter().map(|piece| json!([piece, -1.0])).collect();
        let added: Vec<Value> = added
            .iter()
            .enumerate()
            .map(|(index, (content, special))| {
                json!({
                    "id": first + index, "content": content, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": special,
                })
            })
            .collect();
        let tokenizer = json!({
            "version": "1.0", "added_tokens": added,
            "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": false},
        });
        let config = json!({"chat_template": template, "eos_token": eos, "bos_token": ""});
        let files = MemoryFiles::new([
            ("tokenizer.json", tokenizer.to_string()),
            ("tokenizer_config.json", config.to_string()),
        ]);
        Companions::of(&files).unwrap()
    }

    fn end(companions: &Companions) -> (Option<String>, Option<&str>) {
        let token = companions.turn_end();
        (
            token.map(|token| companions.tokenizer.name(token).unwrap()),
            companions.turn_stop(),
        )
    }

    #[test]
    fn the_template_s_own_token_ends_an_answer_whatever_flags_it_has() {
        for (template, name) in [
            (CHATML, "<|im_end|>"),
            (LLAMA_3, "<|eot_id|>"),
            (GEMMA, "<end_of_turn>"),
        ] {
            let expected = (Some(name.to_owned()), None);
            for special in [true, false] {
                let companions =
                    companions(template, &[(name, special), ("</s>", true)], &[], "</s>");
                assert_eq!(end(&companions), expected, "{special}");
            }
            // a part of the vocabulary as any other
            let companions = companions(template, &[("</s>", true)], &[name], "</s>");
            assert_eq!(end(&companions), expected);
        }
        let mistral = companions(MISTRAL, &[("</s>", true)], &[], "</s>");
        assert_eq!(end(&mistral), (Some("</s>".to_owned()), None));
    }

    #[test]
    fn a_mark_without_a_token_is_a_stop_text() {
        for (template, text) in [
            (CHATML, "<|im_end|>"),
            (LLAMA_3, "<|eot_id|>"),
            (MISTRAL, "</s>"),
        ] {
            let companions = companions(template, &[], &[], "</s>");
            assert_eq!(end(&companions), (None, Some(text)));
        }
    }

    #[test]
    fn where_the_next_turn_begins_the_answer_is_over() {
        let marked = companions(NEXT_ONLY, &[("<|user|>", true)], &[], "</s>");
        assert_eq!(end(&marked), (Some("<|user|>".to_owned()), None));
        let plain = companions(PLAIN, &[], &[], "</s>");
        assert_eq!(end(&plain), (None, Some("\nUser:")));
    }

    #[test]
    fn words_and_signs_end_nothing() {
        for template in [
            "{% for m in messages %}{{ m.content + ' ' }}{% endfor %}",
            "{% for m in messages %}{{ m.content + '. ' }}{% endfor %}",
            "{% for m in messages %}{{ m.content + '\n' }}{% endfor %}",
            "{% for m in messages %}{{ 'User ' + m.content + ' ' }}{% endfor %}",
            "{{ raise_exception('no') }}",
            "nothing of it",
        ] {
            let companions = companions(template, &[(" \n", false)], &["User"], "</s>");
            assert_eq!(end(&companions), (None, None), "{template}");
        }
    }
}

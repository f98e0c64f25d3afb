//! What was said so far, and how it is answered.

use std::io::{self, IsTerminal as _, Write as _, stdout};

use weightsmith_infer::{
    Error, Finish, GenerationSettings, Message, Model, Report, Session, TemplateOptions,
};

use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::prompt_progress::PromptProgress;
use crate::terminal_text::speakable;

/// A system prompt and turns.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    pub(super) system: Option<String>,
    turns: Vec<Message>,
}

impl Conversation {
    /// Nothing was said yet.
    pub(super) fn new(system: Option<String>) -> Self {
        Self {
            system,
            turns: Vec::new(),
        }
    }

    /// Adds what the user says.
    pub(super) fn ask(&mut self, text: &str) {
        self.turns.push(Message::new("user", text));
    }

    /// Adds what the model says.
    pub(super) fn answer(&mut self, text: &str) {
        self.turns.push(Message::new("assistant", text));
    }

    /// Takes back the last question and its answer.
    pub(super) fn take_back(&mut self) {
        self.reopen();
        self.turns.pop();
    }

    /// Takes back the last answer; false when there was none.
    pub(super) fn reopen(&mut self) -> bool {
        let answered = self
            .turns
            .last()
            .is_some_and(|turn| turn.fields["role"] == "assistant");
        if answered {
            self.turns.pop();
        }
        answered
    }

    /// Forgets all turns.
    pub(super) fn reset(&mut self) {
        self.turns.clear();
    }

    /// The tokens of the conversation in a model's own template.
    fn tokens(&self, model: &Model) -> Result<Vec<u32>, Failure> {
        let mut messages = Vec::with_capacity(self.turns.len() + 1);
        messages.extend(
            self.system
                .as_deref()
                .map(|text| Message::new("system", text)),
        );
        messages.extend(self.turns.iter().cloned());
        let options = TemplateOptions {
            generation_prompt: true,
            ..TemplateOptions::default()
        };
        let text = model.companions.template()?.render(&messages, &options)?;
        model.prompt_tokens(&text, false).map_err(refused)
    }

    /// Has a model answer, and shows the answer as it comes.
    pub(super) fn speak(
        &self,
        model: &Model,
        session: &mut Session<'_>,
        settings: &GenerationSettings,
        printer: &Printer,
    ) -> Result<(String, Report), Failure> {
        let tokens = self.tokens(model)?;
        let generating = interrupt::generation();
        let mut generation = session
            .generate(&tokens, settings, generating.cancel.clone())
            .map_err(refused)?;
        let mut progress = PromptProgress::new(printer);
        generation.read_prompt(&mut |done, total| progress.update(done, total))?;
        drop(progress);
        let mut text = String::new();
        let result = show(&mut generation, &mut text);
        let mut out = stdout().lock();
        if !matches!(generation.report().finish, None | Some(Finish::Cancelled)) || !text.is_empty()
        {
            out.write_all(b"\n")?;
        }
        result?;
        Ok((text, generation.report().clone()))
    }
}

/// Why an answer cannot begin, with advice where the chat grew too long.
fn refused(error: Error) -> Failure {
    let too_long = matches!(error, Error::TooLong { .. } | Error::TooManyTokens { .. });
    let failure = Failure::new(error);
    if too_long {
        failure.hint("`/reset` clears the conversation")
    } else {
        failure
    }
}

/// Writes pieces of text as they come, and keeps them.
fn show(
    pieces: &mut dyn Iterator<Item = Result<String, Error>>,
    text: &mut String,
) -> Result<(), Failure> {
    let is_terminal = stdout().is_terminal();
    for piece in pieces {
        let piece = piece?;
        let shown = if is_terminal {
            speakable(&piece)
        } else {
            piece.as_str().into()
        };
        write(&shown)?;
        text.push_str(&piece);
    }
    Ok(())
}

fn write(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_can_be_taken_back_with_or_without_its_question() {
        let mut conversation = Conversation::new(None);
        assert!(!conversation.reopen());
        conversation.ask("a");
        conversation.answer("b");
        assert!(conversation.reopen());
        assert!(!conversation.reopen());
        assert_eq!(conversation.turns.len(), 1);
        conversation.answer("c");
        conversation.ask("d");
        conversation.take_back();
        assert_eq!(conversation.turns.len(), 2);
        conversation.take_back();
        assert!(conversation.turns.is_empty());
    }
}

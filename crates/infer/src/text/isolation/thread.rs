//! Templates in this process: on a thread with a large stack.

use std::thread::Builder;

use super::{Conversation, STACK};
use crate::Error;
use crate::caught::caught;
use crate::text::ChatTemplate;

/// Compiles and renders, and takes a panic for an error.
pub(super) fn run(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
) -> Result<String, Error> {
    let work = || caught(|| here(template, conversation));
    let outcome = std::thread::scope(|scope| {
        let thread = Builder::new()
            .name("template".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)?;
        Ok::<_, std::io::Error>(thread.join())
    })?;
    let broke_off = |problem: String| Error::Template {
        origin: template.origin().to_owned(),
        problem: broken(&problem),
    };
    match outcome {
        Ok(outcome) => outcome.map_err(broke_off)?,
        Err(_) => Err(broke_off("a panic".to_owned())),
    }
}

/// Compiles and renders in this thread.
pub(super) fn here(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
) -> Result<String, Error> {
    match conversation {
        None => template.compile_here().map(|()| String::new()),
        Some((messages, options)) => template.render_here(messages, options),
    }
}

/// The message for a panic.
pub(super) fn broken(panic: &str) -> String {
    format!("internal error of the template engine ({panic}); please report it")
}

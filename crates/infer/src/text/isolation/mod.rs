//! Where chat templates run: apart from the process that serves other models.
//!
//! A chat template is a program that comes with a model. Its limits of size, depth, time and output are checked where it
//! runs, but no check in the same process stops a stack that overflows or an allocation that fails: both abort. So a front
//! end gives a command that starts a second process ([`use_template_process`]), which compiles and renders there, with
//! little memory. What ends that process costs one answer. Without a command, templates run on a thread of their own with a
//! large stack, and a panic is an error.
//!
//! Job and answer are JSON behind their length, through the process's standard input and output ([`frame`], [`job`]).

mod child;
mod frame;
mod job;
mod limits;
mod pool;
mod process;
mod thread;

use super::{ChatTemplate, Message, TemplateOptions};
use crate::Error;

pub use child::template_process;
pub use process::TemplateCommand;

/// Room for the parser and the interpreter of templates, which recurse.
const STACK: usize = 64 << 20;

/// From now on chat templates run in processes that this command starts; they are to call [`template_process`].
///
/// The first command counts.
pub fn use_template_process(command: TemplateCommand) {
    pool::use_command(command);
}

/// A conversation for a template, or none to only compile it.
type Conversation<'a> = Option<(&'a [Message], &'a TemplateOptions)>;

/// Compiles a template, and renders a conversation if there is one.
pub(super) fn run(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
) -> Result<String, Error> {
    match pool::command() {
        Some(command) => {
            pool::run(command, template, conversation).map_err(|problem| Error::Template {
                origin: template.origin().to_owned(),
                problem,
            })
        }
        None => thread::run(template, conversation),
    }
}

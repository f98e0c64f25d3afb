//! The process in which chat templates run: this program, started again with an argument that no user writes.

use std::ffi::OsString;

use weightsmith_infer::text::{TemplateCommand, use_template_process};

/// The argument.
const ARGUMENT: &str = "internal-render-templates";

/// Whether this process is the one for templates.
pub(crate) fn is_asked_for() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|first| first == ARGUMENT) && arguments.next().is_none()
}

/// Lets chat templates run in processes of their own. Where the program does not know itself, they run on threads.
pub(crate) fn isolate() {
    if let Ok(command) = TemplateCommand::this_program(vec![OsString::from(ARGUMENT)]) {
        use_template_process(command);
    }
}

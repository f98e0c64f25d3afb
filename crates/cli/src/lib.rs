//! The command line of Weightsmith: everything behind the `weightsmith` command.

mod app;
mod args;
mod commands;
mod cpu;
mod destination;
mod diagnostics;
mod env_vars;
mod exit_code;
mod failure;
mod file_size_limit;
mod hosted;
mod interrupt;
mod models;
mod planning;
mod printer;
mod progress;
mod prompt_progress;
mod prose;
mod published;
mod quantities;
#[cfg(test)]
mod reference;
mod remote;
mod replace_file;
mod sampling;
mod settings;
mod staging;
mod stores;
mod table;
mod templates;
mod terminal;
mod terminal_text;
mod text_model;
mod transfer;

/// Runs the command that the process was started with; gives its exit code.
pub fn main() -> std::process::ExitCode {
    if templates::is_asked_for() {
        return weightsmith_infer::text::template_process();
    }
    templates::isolate();
    app::main().into()
}

//! The command line of Weightsmith: everything behind the `weightsmith` command.

mod app;
mod args;
mod commands;
mod cpu;
mod diagnostics;
mod env_vars;
mod exit_code;
mod failure;
mod file_size_limit;
mod interrupt;
mod printer;
mod progress;
mod prompt_progress;
mod prose;
mod sampling;
mod settings;
mod table;
mod templates;
mod terminal;
mod terminal_progress;
mod terminal_text;
#[cfg(test)]
mod tests;
mod transfer;

/// Runs the command that the process was started with; gives its exit code.
pub fn main() -> std::process::ExitCode {
    if templates::is_asked_for() {
        return weightsmith_infer::text::template_process();
    }
    templates::isolate();
    app::main().into()
}

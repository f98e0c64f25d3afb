//! The `weightsmith` command.

mod app;
mod args;
mod commands;
mod diagnostics;
mod env_vars;
mod exit_code;
mod failure;
mod printer;
mod quantities;
#[cfg(test)]
mod reference;
mod terminal_text;

fn main() -> std::process::ExitCode {
    app::main().into()
}

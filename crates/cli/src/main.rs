//! The `weightsmith` command.

fn main() -> std::process::ExitCode {
    weightsmith_cli::main()
}

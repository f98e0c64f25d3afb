//! Feeds the fuzz targets on any toolchain.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of developers"
)]

use std::process::ExitCode;

use clap::Parser as _;

mod driver;
mod worker;

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Feeds the fuzz targets with mutations of their corpora
#[derive(Debug, clap::Parser)]
enum Command {
    /// Run targets, each in a process of its own
    Run(driver::Run),
    /// Write the input of a seed and a number to stdout
    Show(worker::Show),
    /// Give one file to a target
    Replay(worker::Replay),
    /// Feed one target in this process; `run` starts it
    #[command(hide = true)]
    Work(worker::Work),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Run(run) => run.execute(),
        Command::Show(show) => show.execute(),
        Command::Replay(replay) => replay.execute(),
        Command::Work(work) => work.execute(),
    }
}

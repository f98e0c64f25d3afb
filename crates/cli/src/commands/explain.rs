//! `explain`: what a recipe does, layer by layer.

use std::io::Write as _;

use weightsmith_report::explain::{explain, render_text};
use weightsmith_session::Access;

use crate::args::ExplainArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::PlanSettings;
use crate::terminal;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe_lines;

/// Draws the curves, or gives the numbers behind them.
pub(crate) fn run(args: ExplainArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let ExplainArgs {
        recipe,
        json: as_json,
        plan,
    } = args;
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    let outcome = PlanSettings::resolve(recipe, plan).prepare(Access::Headers, monitor)?;
    let planned = outcome.into_plan(monitor)?;
    let explanation = explain(&planned.plan);
    if as_json {
        printer.json(&explanation)?;
    } else {
        let text = render_text(&explanation, terminal::width(), terminal::unicode());
        printer.data().write_all(safe_lines(&text).as_bytes())?;
    }
    Ok(ExitCode::Done)
}

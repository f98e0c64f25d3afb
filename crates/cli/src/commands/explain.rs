//! `explain`: what a recipe does, layer by layer.

use std::io::Write as _;

use serde_json::json;
use weightsmith_report::explain::{explain, render_text};

use crate::args::ExplainArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::remote::Access;
use crate::settings::PlanSettings;
use crate::terminal_text::safe_lines;
use crate::{diagnostics, planning, terminal};

/// Draws the curves, or gives the numbers behind them.
pub(crate) fn run(args: ExplainArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let ExplainArgs {
        recipe,
        json: as_json,
        plan,
    } = args;
    let outcome = planning::plan_with_hub(
        PlanSettings::resolve(recipe, plan),
        Access::Headers,
        printer,
    )?;
    if as_json && outcome.planned.is_none() {
        let message = outcome.count().sentence(&outcome.recipe.name);
        let told = outcome.told();
        let problems = diagnostics::json(&outcome.recipe.name, &told);
        printer.json(&json!({"error": {"message": message, "diagnostics": problems}}))?;
    }
    let (_, planned) = match outcome.into_plan(printer) {
        Ok(planned) => planned,
        Err(code) => return Ok(code),
    };
    let explanation = explain(&planned.plan);
    if as_json {
        printer.json(&explanation)?;
    } else {
        let text = render_text(&explanation, terminal::width(), terminal::unicode());
        printer.data().write_all(safe_lines(&text).as_bytes())?;
    }
    Ok(ExitCode::Done)
}

//! `check`: all problems of a recipe at once; or, with `--host`, of a model that is to be hosted.

use std::io::Write as _;

use super::check_host;
use crate::args::CheckArgs;
use crate::diagnostics::{Count, json};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::planning;
use crate::printer::Printer;
use crate::quantities::{bytes, counted, parameters};
use crate::remote::Access;
use crate::settings::PlanSettings;
use crate::terminal_text::safe;

/// Plans the merge and shows what is wrong.
pub(crate) fn run(args: CheckArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let CheckArgs {
        recipe,
        host,
        json: as_json,
        plan,
    } = args;
    if host {
        return check_host::run(&recipe, as_json, plan, printer);
    }
    let outcome = planning::plan_with_hub(
        PlanSettings::resolve(recipe, plan),
        Access::Headers,
        printer,
    )?;
    let code = if outcome.planned.is_some() {
        ExitCode::Done
    } else {
        ExitCode::Usage
    };
    if as_json {
        printer.json(&json(&outcome.recipe, &outcome.diagnostics))?;
        return Ok(code);
    }
    outcome.show(printer);
    if let Some(planned) = &outcome.planned {
        let plan = &planned.plan;
        let elements = plan
            .tensors
            .iter()
            .map(|tensor| tensor.info.elements())
            .sum();
        writeln!(
            printer.data(),
            "{}: {}, {} of {} models, {}, {} parameters, {}",
            safe(&outcome.recipe.name),
            if Count::of(&outcome.diagnostics).warnings == 0 {
                "no problems"
            } else {
                "can be merged"
            },
            plan.method,
            plan.inputs.len(),
            counted(plan.tensors.len(), "tensor"),
            parameters(elements),
            bytes(plan.bytes_written),
        )?;
    }
    Ok(code)
}

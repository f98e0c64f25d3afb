//! `check`: all problems of a recipe at once; or, with `--host`, of a model that is to be hosted.

use std::io::Write as _;

use weightsmith::Diagnostic;

use super::check_host;
use crate::args::CheckArgs;
use crate::diagnostics::json;
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
    let name = recipe.display().to_string();
    let outcome = planning::plan_with_hub(
        PlanSettings::resolve(recipe, plan),
        Access::Headers,
        printer,
    );
    let outcome = match outcome {
        Err(failure) if as_json && !failure.is_broken_pipe() => {
            // a problem like others, of the whole file
            let mut problem = Diagnostic::error(failure.sentence(), None);
            problem.hints = failure.hints().to_vec();
            printer.json(&json(&name, &[problem]))?;
            return Ok(failure.code());
        }
        outcome => outcome?,
    };
    let code = if outcome.planned.is_some() {
        ExitCode::Done
    } else {
        ExitCode::Usage
    };
    if as_json {
        printer.json(&json(&outcome.recipe.name, &outcome.told()))?;
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
            "{}: {}, {} of {}, {}, {} parameters, {}",
            safe(&outcome.recipe.name),
            if outcome.count().warnings == 0 {
                "no problems"
            } else {
                "can be merged"
            },
            plan.method,
            counted(plan.inputs.len(), "model"),
            counted(plan.tensors.len(), "tensor"),
            parameters(elements),
            bytes(plan.bytes_written),
        )?;
    }
    Ok(code)
}

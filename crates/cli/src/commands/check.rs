//! `check`: all problems of a recipe at once; or, with `--host`, of a model that is to be hosted.

use std::io::Write as _;

use weightsmith::Diagnostic;
use weightsmith_session::Access;
use weightsmith_session::quantities::{bytes, counted, parameters};

use super::check_host;
use crate::args::CheckArgs;
use crate::diagnostics::{json, show};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::PlanSettings;
use crate::terminal_progress::TerminalProgress;
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
    let progress = TerminalProgress::new(printer);
    let settings = PlanSettings::resolve(recipe, plan);
    let outcome = match settings.prepare(Access::Headers, progress.monitor()) {
        Err(error) if as_json => {
            let failure = Failure::new(error);
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
    show(&outcome, printer);
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

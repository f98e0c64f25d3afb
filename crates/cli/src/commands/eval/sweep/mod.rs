//! `eval --sweep`: one parameter of a recipe varied, the merge computed in memory each time.

mod values;

use weightsmith::Diagnostic;
use weightsmith_session::{Gathered, Outcome, SessionError, TextModels, is_recipe};

pub(super) use self::values::Sweep;
use super::bench::Bench;
use super::report::{Point, SweepReport};
use crate::diagnostics::show;
use crate::failure::Failure;

/// A recipe and the parameter that is varied in it.
#[derive(Debug)]
pub(super) struct Varied<'a> {
    name: &'a str,
    sweep: Sweep,
    recipe: Gathered,
}

impl<'a> Varied<'a> {
    /// Reads the recipe and plans it for every value, so that mistakes are found before anything is computed. A recipe that is wrong
    /// is an exit code: its problems have been shown.
    pub(super) fn read(
        bench: &Bench<'a>,
        models: &TextModels,
        sweep: &str,
    ) -> Result<Self, Failure> {
        let name = bench.args.model.as_str();
        let sweep = Sweep::parse(sweep)
            .map_err(|problem| Failure::usage(format!("`--sweep`: {problem}")))?;
        if !is_recipe(name) {
            return Err(Failure::usage(format!(
                "`--sweep` needs a recipe, and `{name}` is a model"
            )));
        }
        let recipe = models.gather(name, bench.progress.monitor())?;
        let varied = Self {
            name,
            sweep,
            recipe,
        };
        varied.check(bench)?;
        Ok(varied)
    }

    fn check(&self, bench: &Bench<'_>) -> Result<(), Failure> {
        let mut said: Vec<Diagnostic> = Vec::new();
        for &value in &self.sweep.values {
            let mut outcome = self.plan(value)?;
            outcome.diagnostics.retain(|found| !said.contains(found));
            show(&outcome, bench.printer);
            if outcome.planned.is_none() {
                return Err(Failure::usage(format!(
                    "with `{}` = {value} the recipe cannot be merged",
                    self.sweep.variable
                )));
            }
            said.append(&mut outcome.diagnostics);
        }
        Ok(())
    }

    fn plan(&self, value: f64) -> Result<Outcome, Failure> {
        self.recipe.plan_changed(|recipe| {
            let changed = self.sweep.variable.set(recipe, value);
            changed.map_err(|error| Failure::usage(format!("`--sweep`: {error}")))
        })
    }

    /// Merges and measures for each value; of a sweep that is interrupted, the values that were done.
    pub(super) fn measure(
        &self,
        bench: &Bench<'_>,
        models: &TextModels,
        others: &mut [super::bench::Other],
    ) -> Result<SweepReport, Failure> {
        let mut report = SweepReport {
            model: self.name.to_owned(),
            parameter: self.sweep.variable.to_string(),
            values: Vec::new(),
            against: Vec::new(),
            incomplete: false,
        };
        bench.question(others)?;
        for &value in &self.sweep.values {
            if bench.is_stopped() {
                break;
            }
            bench
                .printer
                .talk(&format!("{} = {value}", self.sweep.variable));
            let mut outcome = self.plan(value)?;
            let Some(planned) = outcome.planned.take() else {
                return Err(SessionError::Recipe(Box::new(outcome)).into());
            };
            // one merge is in memory at a time: the one before is dropped at the end of its turn
            let merged = models.planned(self.name, planned)?;
            let measurement = bench.measure(&merged.model, others)?;
            if !bench.is_stopped() {
                report.values.push(Point { value, measurement });
            }
        }
        report.incomplete = report.values.len() < self.sweep.values.len();
        Ok(report)
    }
}

//! Finished runs, by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use weightsmith::run::Report;

use super::{Filter, Runs};
use crate::error::Refusal;
use crate::wire::{
    EvaluateResult, Evaluation, EvaluationList, PushResult, RunKind, RunResult, RunState,
};

/// Finished runs that are looked at.
const MOST: usize = 1000;

/// Finished merges that say how fast the next will be.
const LOOKED_AT: usize = 8;

/// Merges that move fewer bytes say nothing about speed.
const TELLING: f64 = 64e6;

/// A run that is done.
#[derive(Debug, Clone, PartialEq)]
struct Finished {
    id: i64,
    /// In seconds since 1970.
    ended: f64,
    result: RunResult,
}

impl Runs {
    /// The runs of a kind about a model that are done, newest first.
    fn finished(&self, kind: RunKind, model: &str) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, Some(model), MOST)
    }

    /// When the model of that name was merged here last, in seconds since 1970: what was found before is about another one.
    fn made(&self, model: &str) -> Result<Option<f64>, Refusal> {
        let merges = self.finished(RunKind::Merge, model)?;
        Ok(merges.into_iter().map(|merge| merge.ended).reduce(f64::max))
    }

    /// When models were published from here last, in seconds since 1970. What was published before a model was replaced is another one.
    pub(crate) fn published(&self) -> BTreeMap<String, f64> {
        const LOOKED_AT: usize = 500;
        let mut seen = BTreeSet::new();
        let mut published = BTreeMap::new();
        // a history that cannot be read is told where runs are shown
        let pushes = self.newest(RunKind::Push, LOOKED_AT).unwrap_or_default();
        for run in pushes {
            let RunResult::Push(PushResult { model, at, .. }) = run.result else {
                continue;
            };
            if !seen.insert(model.clone()) {
                continue;
            }
            let made = self.made(&model).ok().flatten();
            if made.is_none_or(|made| run.ended >= made) {
                published.insert(model, at);
            }
        }
        published
    }

    /// What was measured of a model so far, newest first. What was measured before it was replaced says nothing about it.
    pub(crate) fn evaluations(&self, model: &str) -> Result<EvaluationList, Refusal> {
        let made = self.made(model)?.unwrap_or_default();
        let runs = self.finished(RunKind::Evaluate, model)?.into_iter();
        let runs = runs.filter(|run| run.ended >= made);
        let evaluations = runs.filter_map(|run| match run.result {
            RunResult::Evaluate(EvaluateResult { evaluation }) => Some(Evaluation {
                run: Some(run.id),
                ..evaluation
            }),
            _ => None,
        });
        Ok(EvaluationList {
            evaluations: evaluations.collect(),
        })
    }

    /// How many bytes the last merges read and wrote in a second.
    pub(crate) fn speed(&self) -> Result<Option<f64>, Refusal> {
        let finished = self.newest(RunKind::Merge, LOOKED_AT)?;
        let reports = finished.iter().filter_map(|run| match &run.result {
            RunResult::Merge(made) => Some(&made.report),
            _ => None,
        });
        Ok(speed(reports))
    }

    /// The newest runs of a kind that are done.
    fn newest(&self, kind: RunKind, count: usize) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, None, count)
    }

    fn done(
        &self,
        kind: RunKind,
        model: Option<&str>,
        most: usize,
    ) -> Result<Vec<Finished>, Refusal> {
        let filter = Filter {
            kind: Some(kind),
            state: Some(RunState::Done),
            model: model.map(str::to_owned),
            before: None,
            limit: most,
        };
        let (runs, _) = self.list(&filter)?;
        let finished = runs.into_iter().filter_map(|run| {
            Some(Finished {
                id: run.id,
                ended: run.ended.unwrap_or_default(),
                result: run.result?,
            })
        });
        Ok(finished.collect())
    }
}

/// Bytes that merges read and wrote in a second.
fn speed<'a>(reports: impl Iterator<Item = &'a Report>) -> Option<f64> {
    let (mut bytes, mut seconds) = (0.0, 0.0);
    for report in reports {
        let written = report.bytes_written as f64;
        // both counts are the plan's: for what an earlier run had written nothing was read either
        let share = (written - report.resumed_bytes as f64) / written.max(1.0);
        let moved = (report.bytes_read as f64 + written) * share;
        if moved >= TELLING {
            bytes += moved;
            seconds += report.seconds;
        }
    }
    (seconds > 0.0).then(|| bytes / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_merges_large_enough_to_tell() {
        let report = |read: u64, written: u64, resumed: u64, seconds: f64| Report {
            already_there: false,
            tensors: 1,
            parameters: 1,
            bytes_read: read,
            bytes_written: written,
            resumed_bytes: resumed,
            seconds,
            peak_private: None,
            peak_resident: None,
            non_finite: Vec::new(),
            files: Vec::new(),
        };
        let reports = [
            report(1_000_000_000, 500_000_000, 0, 1.0),
            // half of it had been done before
            report(1_000_000_000, 500_000_000, 250_000_000, 1.0),
            // all of it had
            report(1_000_000_000, 500_000_000, 500_000_000, 0.001),
            report(1000, 1000, 0, 9.0),
        ];
        assert_eq!(speed(reports.iter()), Some(1.125e9));
        assert_eq!(speed([].iter()), None);
    }
}

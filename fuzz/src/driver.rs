//! Runs targets as processes, so that one that aborts is a failure of its own.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use weightsmith_fuzz::{TARGETS, Target};

/// Runs targets, each in a process of its own
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Targets; all, if none is named
    targets: Vec<String>,
    /// Inputs for each target
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    inputs: Option<u64>,
    /// Time for all targets together
    #[arg(long, value_name = "S", default_value_t = 120)]
    seconds: u64,
    /// Another seed gives other inputs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The number of the first input
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
}

/// What a target's process did.
struct Outcome {
    inputs: u64,
    failures: u64,
}

impl Run {
    pub(crate) fn execute(&self) -> ExitCode {
        let mut targets = Vec::new();
        for name in &self.targets {
            let Some(target) = Target::named(name) else {
                eprintln!("error: no target `{name}`");
                return ExitCode::from(2);
            };
            targets.push(target);
        }
        if targets.is_empty() {
            targets.extend(TARGETS);
        }
        let share = Duration::from_secs(self.seconds) / targets.len() as u32;
        let (mut passed, mut failed, mut inputs) = (0, 0, 0);
        for target in targets {
            let outcome = match self.feed(target, share) {
                Ok(outcome) => outcome,
                Err(problem) => {
                    eprintln!("error: {}: {problem}", target.name);
                    return ExitCode::FAILURE;
                }
            };
            inputs += outcome.inputs;
            if outcome.failures == 0 {
                passed += 1;
            } else {
                failed += 1;
            }
        }
        println!("{inputs} inputs, seed {}", self.seed);
        println!("{passed} passed, {failed} failed");
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Feeds a target until its share of time or inputs is used up; a process that ends early is started again behind
    /// the input that ended it.
    fn feed(&self, target: &Target, share: Duration) -> std::io::Result<Outcome> {
        let folder = tempfile::tempdir()?;
        let state = folder.path().join("number");
        let begin = Instant::now();
        let mut outcome = Outcome {
            inputs: 0,
            failures: 0,
        };
        let mut next = self.from;
        loop {
            let left = self.inputs.map(|inputs| inputs - outcome.inputs);
            let time = share.saturating_sub(begin.elapsed());
            if left == Some(0) || (left.is_none() && time.is_zero()) || outcome.failures >= 20 {
                break;
            }
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["work", target.name, "--seed", &self.seed.to_string()]);
            command
                .args(["--from", &next.to_string(), "--state"])
                .arg(&state);
            match left {
                Some(left) => command.args(["--inputs", &left.to_string()]),
                None => command.args(["--milliseconds", &time.as_millis().to_string()]),
            };
            let status = command.status()?;
            let reached = number(&state)?;
            if status.success() {
                outcome.inputs += reached - next;
                break;
            }
            // the input that was being tried counts
            outcome.inputs += reached + 1 - next;
            outcome.failures += 1;
            println!(
                "FAIL {} input {reached}: {status}; see `weightsmith-fuzz show {} --seed {} --input {reached}`",
                target.name, target.name, self.seed
            );
            next = reached + 1;
        }
        println!(
            "{} {}: {} inputs in {:.1} s, {} failures",
            if outcome.failures == 0 {
                "ok  "
            } else {
                "FAIL"
            },
            target.name,
            outcome.inputs,
            begin.elapsed().as_secs_f64(),
            outcome.failures
        );
        Ok(outcome)
    }
}

/// The number that the process wrote last.
fn number(state: &Path) -> std::io::Result<u64> {
    let bytes = fs_err::read(state)?;
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "the process ended before its first input",
        )
    })?;
    Ok(u64::from_le_bytes(bytes))
}

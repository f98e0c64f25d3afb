//! Gives inputs to a target in this process.

use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use weightsmith_fuzz::{MOST_BYTES, MOST_SECONDS, Mutator, Target};

use crate::ALLOCATOR;

/// Address space of a process: what grows without a bound aborts, and the machine goes on.
const ADDRESS_SPACE: u64 = 6 << 30;

/// The input of a seed and a number
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The target
    target: String,
    /// Its seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Its number
    #[arg(long, value_name = "N")]
    input: u64,
}

/// One file as input
#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The target
    target: String,
    /// The input
    file: PathBuf,
}

/// Many inputs
#[derive(Debug, clap::Args)]
pub(crate) struct Work {
    target: String,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    from: u64,
    #[arg(long)]
    inputs: Option<u64>,
    #[arg(long)]
    milliseconds: Option<u64>,
    /// Where the number of the input that is tried is kept
    #[arg(long)]
    state: PathBuf,
}

impl Show {
    pub(crate) fn execute(&self) -> ExitCode {
        finish(|| {
            let input = Mutator::new(named(&self.target)?)?.input(self.seed, self.input);
            std::io::stdout().write_all(&input)?;
            Ok(true)
        })
    }
}

impl Replay {
    pub(crate) fn execute(&self) -> ExitCode {
        finish(|| {
            let input = fs_err::read(&self.file)?;
            Ok(sound(named(&self.target)?, &input))
        })
    }
}

impl Work {
    pub(crate) fn execute(&self) -> ExitCode {
        finish(|| self.feed())
    }

    fn feed(&self) -> std::io::Result<bool> {
        let limit = Rlimit {
            current: Some(ADDRESS_SPACE),
            maximum: Some(ADDRESS_SPACE),
        };
        setrlimit(Resource::As, limit)?;
        let target = named(&self.target)?;
        let mutator = Mutator::new(target)?;
        let state = fs_err::File::create(&self.state)?;
        let tried = Arc::new(AtomicU64::new(0));
        watch(Arc::clone(&tried));
        let begin = Instant::now();
        let mut number = self.from;
        loop {
            state.file().write_all_at(&number.to_le_bytes(), 0)?;
            let done = number - self.from;
            let enough = self.inputs.is_some_and(|inputs| done >= inputs)
                || self
                    .milliseconds
                    .is_some_and(|time| begin.elapsed() >= Duration::from_millis(time));
            if enough {
                return Ok(true);
            }
            tried.store(done + 1, Ordering::Relaxed);
            if !sound(target, &mutator.input(self.seed, number)) {
                return Ok(false);
            }
            number += 1;
        }
    }
}

/// Whether a target takes an input within its bounds.
fn sound(target: &Target, input: &[u8]) -> bool {
    ALLOCATOR.reset_peak_usage();
    let (before, begin) = (ALLOCATOR.peak_usage(), Instant::now());
    let returned = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok();
    let (memory, time) = (
        ALLOCATOR.peak_usage().saturating_sub(before),
        begin.elapsed(),
    );
    if memory > MOST_BYTES {
        eprintln!("{memory} bytes were allocated, expected at most {MOST_BYTES}");
    }
    if time > Duration::from_secs(MOST_SECONDS) {
        eprintln!(
            "{:.1} s passed, expected at most {MOST_SECONDS}",
            time.as_secs_f64()
        );
    }
    returned && memory <= MOST_BYTES && time <= Duration::from_secs(MOST_SECONDS)
}

/// Ends the process when one input takes too long.
fn watch(tried: Arc<AtomicU64>) {
    thread::spawn(move || {
        loop {
            let before = tried.load(Ordering::Relaxed);
            thread::sleep(Duration::from_secs(MOST_SECONDS + 1));
            if tried.load(Ordering::Relaxed) == before {
                eprintln!("one input takes more than {MOST_SECONDS} s");
                std::process::abort();
            }
        }
    });
}

fn named(target: &str) -> std::io::Result<&'static Target> {
    Target::named(target).ok_or_else(|| {
        std::io::Error::new(
            std::io::ErrorKind::NotFound,
            format!("no target `{target}`"),
        )
    })
}

fn finish(work: impl FnOnce() -> std::io::Result<bool>) -> ExitCode {
    match work() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}

//! The threads that work, one for each lane.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use super::history::End;
use super::kinds::{self, Lane};
use super::live::Live;
use super::priority;
use super::resources::Resources;
use super::shared::Shared;
use crate::clock::now;
use crate::progress::RunFailure;
use crate::wire::{Run, RunError, RunResult, RunState};

/// How often pages are told how far a run is.
const TOLD: Duration = Duration::from_millis(200);

/// How many times they are told until the history is.
const NOTED: usize = 5;

/// Starts all threads.
pub(super) fn start(resources: &Arc<Resources>, shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let lane = |name: &str, lane: Lane| {
        let (resources, shared) = (Arc::clone(resources), Arc::clone(shared));
        spawn(name, move || work(&resources, &shared, lane))
    };
    let tell = {
        let shared = Arc::clone(shared);
        spawn("run progress", move || tell(&shared))
    };
    let started = [
        lane("compute", Lane::Compute),
        lane("network", Lane::Network),
        tell,
    ];
    started.into_iter().flatten().collect()
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).ok()
}

/// Works until the studio is closed.
fn work(resources: &Resources, shared: &Arc<Shared>, lane: Lane) {
    if lane == Lane::Compute {
        priority::lower();
    }
    while let Some((run, live)) = shared.next(lane) {
        shared.tell(run.id);
        shared.tell_waiting(lane);
        let end = ended(execute(resources, &run, &live), &live);
        if let Some(error) = &end.error {
            shared.log(run.id, &error.message);
        }
        if let Err(error) = shared.end(run.id, &live, end) {
            let text = format!(
                "the history cannot be written, the end of this run is kept in memory: {error}"
            );
            shared.log(run.id, &text);
        }
        shared.tell(run.id);
    }
}

fn execute(resources: &Resources, run: &Run, live: &Live) -> Result<RunResult, RunFailure> {
    let work = AssertUnwindSafe(|| kinds::execute(resources, &run.request, live));
    catch_unwind(work).unwrap_or_else(|_| Err(RunFailure::of("internal error; please report it")))
}

fn ended(outcome: Result<RunResult, RunFailure>, live: &Live) -> End {
    let (state, error, result) = match outcome {
        Ok(result) => (RunState::Done, None, Some(result)),
        Err(RunFailure::Stopped) if live.is_cancelled() => (RunState::Cancelled, None, None),
        Err(RunFailure::Stopped) => (RunState::Interrupted, None, None),
        Err(RunFailure::Failed { message, hints }) => {
            (RunState::Failed, Some(RunError { message, hints }), None)
        }
    };
    End {
        at: now(),
        state,
        error,
        result,
    }
}

/// Tells pages how far runs are, and now and then the history.
fn tell(shared: &Shared) {
    let mut times = 0;
    while shared.wait_for_work() {
        sleep(TOLD);
        times += 1;
        for (id, live) in shared.live() {
            if live.take_news() {
                shared.tell(id);
            }
            if times % NOTED == 0 {
                shared.note(id, &live);
            }
        }
    }
}

//! Which processes there are, and which templates may use them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::Conversation;
use super::job::{Answer, Job};
use super::process::{Death, MOST_JOB, Process, TemplateCommand};
use crate::text::ChatTemplate;

/// How long a template may take for a conversation.
const MOST_TIME: Duration = Duration::from_secs(10);

/// How long a conversation waits for a process that is free.
const MOST_WAITING: Duration = Duration::from_secs(30);

/// Processes that work at once, and those among them for the same template, so that one template leaves some to others.
const MOST_BUSY: usize = 8;
const MOST_BUSY_FOR_ONE: usize = 2;

/// Processes that wait for the next conversation.
const MOST_IDLE: usize = 4;

/// After so many ends of its process a template rests.
const MOST_DEATHS: u32 = 3;
const REST: Duration = Duration::from_mins(1);

/// Templates whose deaths are remembered.
const MOST_REMEMBERED: usize = 1024;

static COMMAND: OnceLock<TemplateCommand> = OnceLock::new();
static STATE: Mutex<State> = Mutex::new(State::new());
static FREED: Condvar = Condvar::new();

#[derive(Debug)]
struct State {
    idle: Vec<Process>,
    busy: usize,
    /// By a hash of the source: the same template of another folder, or of a model that was loaded again, is the same.
    templates: BTreeMap<u64, History>,
}

#[derive(Debug, Default)]
struct History {
    busy: usize,
    deaths: u32,
    /// The last one.
    death: Option<(Instant, Death)>,
}

impl State {
    const fn new() -> Self {
        Self {
            idle: Vec::new(),
            busy: 0,
            templates: BTreeMap::new(),
        }
    }
}

pub(super) fn use_command(command: TemplateCommand) {
    let _ = COMMAND.set(command);
}

pub(super) fn command() -> Option<&'static TemplateCommand> {
    COMMAND.get()
}

/// Lets a process do the work; says what went wrong.
pub(super) fn run(
    command: &TemplateCommand,
    template: &ChatTemplate,
    conversation: Conversation<'_>,
) -> Result<String, String> {
    let job = serde_json::to_vec(&Job::new(template, conversation))
        .map_err(|problem| problem.to_string())?;
    if job.len() > MOST_JOB as usize {
        return Err(format!(
            "a conversation of {} MiB is too large",
            job.len() >> 20
        ));
    }
    let job: Arc<[u8]> = job.into();
    let turn = Turn::take(template.source())?;
    if let Some(process) = idle() {
        match ask(process, &job) {
            // what happened to it while it waited is no fault of the template
            Err(Death::Other(_)) => {}
            outcome => return turn.told(outcome),
        }
    }
    let process = Process::start(command)
        .map_err(|error| format!("cannot start the process for chat templates: {error}"))?;
    turn.told(ask(process, &job))
}

/// A process that waits.
fn idle() -> Option<Process> {
    loop {
        let mut process = locked().idle.pop()?;
        if process.lives() {
            return Some(process);
        }
    }
}

/// Asks a process, which waits for others afterwards if it survives.
fn ask(mut process: Process, job: &Arc<[u8]>) -> Result<Answer, Death> {
    let answer = process.ask(job, MOST_TIME)?;
    if process.is_small() {
        let mut state = locked();
        if state.idle.len() < MOST_IDLE {
            state.idle.push(process);
        }
    }
    Ok(answer)
}

/// The right of a template to use a process.
#[derive(Debug)]
struct Turn {
    template: u64,
}

impl Turn {
    /// Waits for the right.
    fn take(source: &str) -> Result<Self, String> {
        let mut hasher = DefaultHasher::new();
        source.hash(&mut hasher);
        let template = hasher.finish();
        let until = Instant::now() + MOST_WAITING;
        let mut state = locked();
        loop {
            let history = state.templates.entry(template).or_default();
            history.refuse()?;
            if history.busy < MOST_BUSY_FOR_ONE && state.busy < MOST_BUSY {
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("too many conversations are being rendered; try again".to_owned());
            }
            state = FREED
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.busy += 1;
        state.templates.entry(template).or_default().busy += 1;
        Ok(Self { template })
    }

    /// Notes a death, and says what came of the job.
    fn told(&self, outcome: Result<Answer, Death>) -> Result<String, String> {
        match outcome {
            Ok(Answer::Text(text)) => Ok(text),
            Ok(Answer::Problem(problem)) => Err(problem),
            Err(death) => {
                let problem = format!("it ended its process: {death}");
                self.died(death);
                Err(problem)
            }
        }
    }

    fn died(&self, death: Death) {
        let mut state = locked();
        while state.templates.len() > MOST_REMEMBERED {
            let idle = state.templates.iter().find(|(_, one)| one.busy == 0);
            let Some(forgotten) = idle.map(|(&hash, _)| hash) else {
                break;
            };
            state.templates.remove(&forgotten);
        }
        let history = state.templates.entry(self.template).or_default();
        history.deaths = match death {
            // the next conversation would take as long
            Death::Time(_) => MOST_DEATHS,
            _ => (history.deaths + 1).min(MOST_DEATHS),
        };
        history.death = Some((Instant::now(), death));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = locked();
        state.busy -= 1;
        if let Some(history) = state.templates.get_mut(&self.template) {
            history.busy -= 1;
            if history.busy == 0 && history.deaths == 0 {
                state.templates.remove(&self.template);
            }
        }
        drop(state);
        FREED.notify_all();
    }
}

impl History {
    /// Refuses a template that has ended its process again and again.
    fn refuse(&self) -> Result<(), String> {
        match &self.death {
            Some((at, death)) if self.deaths >= MOST_DEATHS && at.elapsed() < REST => Err(format!(
                "it is disabled for a minute, because it ended its process: {death}"
            )),
            _ => Ok(()),
        }
    }
}

fn locked() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

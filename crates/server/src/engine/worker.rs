//! The loop of an engine's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use weightsmith_infer::{CACHE_BLOCK, Control, Decoder, Model, Observer, SequenceStep};

use super::prefixes::Prefixes;
use super::schedule::{Candidate, Pace, Part};
use super::sequence::{Progress, Sequence, State};
use super::statistics::{Statistics, add, set};
use super::weight_check::WeightCheck;
use super::{EngineSettings, Request};

/// Everything that the thread owns.
#[derive(Debug)]
pub(super) struct Worker {
    model: Arc<Model>,
    settings: EngineSettings,
    statistics: Arc<Statistics>,
    /// Sequences whose turn has not come, the oldest first.
    waiting: Vec<Sequence>,
    /// Sequences that are computed, the oldest first.
    active: Vec<Sequence>,
    prefixes: Prefixes,
    pace: Pace,
    weights: WeightCheck,
}

/// What a request is told after a panic.
pub(crate) const BROKE_OFF: &str = "internal error; please report it";

/// The engine is not needed any more.
#[derive(Debug)]
struct Closed;

impl Worker {
    pub(super) fn new(
        model: Arc<Model>,
        settings: EngineSettings,
        statistics: Arc<Statistics>,
        weights: WeightCheck,
    ) -> Self {
        Self {
            model,
            settings,
            statistics,
            waiting: Vec::new(),
            active: Vec::new(),
            prefixes: Prefixes::default(),
            pace: Pace::default(),
            weights,
        }
    }

    /// Steps until all handles are gone. A panic costs the requests that are here, not those that come.
    pub(super) fn run(mut self, incoming: &Receiver<Request>) {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn(incoming))) {
                Ok(Ok(())) => {}
                Ok(Err(Closed)) => return,
                Err(_) => self.start_over(),
            }
        }
    }

    fn turn(&mut self, incoming: &Receiver<Request>) -> Result<(), Closed> {
        self.take_in(incoming)?;
        self.drop_cancelled();
        if !self.give_up_damaged() {
            self.admit();
            self.step();
        }
        self.publish_sizes();
        Ok(())
    }

    /// Forgets everything but the model, which no request changes.
    fn start_over(&mut self) {
        for sequence in self.waiting.drain(..).chain(self.active.drain(..)) {
            sequence.fail(BROKE_OFF);
        }
        self.prefixes = Prefixes::default();
        self.pace = Pace::default();
    }

    /// Takes requests; waits for one if there is nothing to do.
    fn take_in(&mut self, incoming: &Receiver<Request>) -> Result<(), Closed> {
        if self.active.is_empty() && self.waiting.is_empty() {
            self.publish_sizes();
            let request = incoming.recv().map_err(|_| Closed)?;
            self.enqueue(request);
        }
        loop {
            match incoming.try_recv() {
                Ok(request) => self.enqueue(request),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Closed),
            }
        }
    }

    fn enqueue(&mut self, request: Request) {
        let events = request.events.clone();
        match Sequence::new(request, &self.model.decoder) {
            Ok(sequence) if sequence.needs_nothing() => drop(sequence.end_at_once()),
            Ok(sequence) => self.waiting.push(sequence),
            Err(error) => {
                let problem = error.to_string();
                let _ = events.send(super::Event::Failed { problem });
            }
        }
    }

    /// Gives up what nobody waits for.
    fn drop_cancelled(&mut self) {
        let waiting = self.waiting.extract_if(.., |sequence| sequence.is_over());
        let active = self.active.extract_if(.., |sequence| sequence.is_over());
        let over: Vec<Sequence> = waiting.chain(active).collect();
        let abandoned = over.iter().filter(|sequence| sequence.is_abandoned());
        add(&self.statistics.cancelled, abandoned.count());
        for sequence in over {
            self.keep(sequence);
        }
    }

    /// Fails everything if the weights are not those any more that were loaded. True if so.
    fn give_up_damaged(&mut self) -> bool {
        let Some(problem) = self.weights.problem() else {
            return false;
        };
        for sequence in self.active.drain(..).chain(self.waiting.drain(..)) {
            sequence.fail(problem);
        }
        self.prefixes = Prefixes::default();
        true
    }

    /// Lets sequences in while there is room, each with what is kept of its beginning.
    fn admit(&mut self) {
        while let Some(first) = self.waiting.first() {
            let running: usize = self.active.iter().map(Sequence::continuations).sum();
            let room = running + first.continuations() <= self.settings.parallel;
            // and for each a block to grow into
            let growth = self.bytes_of(1) * (self.active.len() as u64 + 1);
            let needed = self.active_bytes() + self.bytes_of(first.tokens.len()) + growth;
            let fits = room && needed <= self.settings.cache_bytes;
            if !self.active.is_empty() && !fits {
                return;
            }
            let mut sequence = self.waiting.remove(0);
            let decoder = &self.model.decoder;
            if sequence.reusable()
                && !sequence.is_whole(decoder)
                && let Some(cache) = self.prefixes.find(&sequence.tokens)
            {
                sequence.begin_with(cache);
            }
            self.active.push(sequence);
        }
    }

    /// Memory of a cache of so many positions.
    fn bytes_of(&self, positions: usize) -> u64 {
        let each = self.model.decoder.cache_bytes_per_position();
        positions.next_multiple_of(CACHE_BLOCK) as u64 * each
    }

    fn active_bytes(&self) -> u64 {
        let caches = self.active.iter().map(|sequence| sequence.cache.bytes());
        caches.sum()
    }

    /// Computes some tokens of every sequence that can go on.
    fn step(&mut self) {
        for sequence in &mut self.active {
            sequence.settle(&self.model.decoder);
        }
        let parts = self.plan();
        if parts.is_empty() {
            return;
        }
        let begun = Instant::now();
        let before: usize = self.active.iter().map(|one| one.cache.len()).sum();
        let failed = self.compute(&parts);
        let took = begun.elapsed();
        let after: usize = self.active.iter().map(|one| one.cache.len()).sum();
        let single = parts.iter().filter(|part| part.count == 1).count();
        let prompt_tokens = (after - before).saturating_sub(single);
        self.pace.record(prompt_tokens, took);
        add(&self.statistics.prompt_tokens, prompt_tokens);
        self.statistics.steps.record(took);
        if !failed.is_empty() {
            self.weights.look(&self.model.decoder);
        }
        if !self.give_up_damaged() {
            self.tell(&parts, failed);
        }
    }

    /// The parts of the next step, for which there is memory.
    fn plan(&mut self) -> Vec<Part> {
        loop {
            let decoder = &self.model.decoder;
            let candidates: Vec<Candidate> = self
                .active
                .iter()
                .map(|sequence| Candidate {
                    cached: sequence.cache.len(),
                    pending: sequence.pending(),
                    whole: sequence.pending() > 1 && sequence.is_whole(decoder),
                })
                .collect();
            let parts = self.pace.next_step(&candidates);
            let mut lengths: Vec<usize> = candidates.iter().map(|one| one.cached).collect();
            for part in &parts {
                lengths[part.index] += part.count;
            }
            let needed: u64 = lengths.iter().map(|&length| self.bytes_of(length)).sum();
            while needed + self.prefixes.bytes() > self.settings.cache_bytes
                && self.prefixes.forget_one()
            {}
            if needed <= self.settings.cache_bytes || self.active.len() < 2 {
                return parts;
            }
            self.put_back_youngest();
        }
    }

    /// The youngest sequence waits again, and is computed anew later.
    fn put_back_youngest(&mut self) {
        if let Some(mut sequence) = self.active.pop() {
            sequence.cache.clear();
            self.waiting.insert(0, sequence);
        }
    }

    /// Runs a step; if it fails, each part alone, so that one sequence does not take the others down. Gives the problems by part.
    fn compute(&mut self, parts: &[Part]) -> Vec<(usize, String)> {
        match self.attempt(parts) {
            Ok(()) => Vec::new(),
            Err(problem) if parts.len() == 1 => vec![(parts[0].index, problem)],
            Err(_) => parts
                .iter()
                .filter_map(|part| {
                    let problem = self.attempt(&[*part]).err()?;
                    Some((part.index, problem))
                })
                .collect(),
        }
    }

    fn attempt(&mut self, parts: &[Part]) -> Result<(), String> {
        let decoder = &self.model.decoder;
        let mut active: Vec<Option<&mut Sequence>> = self.active.iter_mut().map(Some).collect();
        let mut steps = Vec::with_capacity(parts.len());
        let mut logits = Logits::default();
        for part in parts {
            let Some(sequence) = active[part.index].take() else {
                continue;
            };
            let wants = sequence.begin_step(part.count);
            let Sequence {
                tokens,
                cache,
                state,
                ..
            } = sequence;
            logits.states.push((state, tokens.len()));
            let first = cache.len();
            steps.push(SequenceStep {
                tokens: &tokens[first..first + part.count],
                cache,
                wants,
            });
        }
        run_step(decoder, &mut steps, &mut logits)
    }

    /// Sends what the step brought, and sorts out what is over.
    fn tell(&mut self, parts: &[Part], failed: Vec<(usize, String)>) {
        let mut stepped = vec![false; self.active.len()];
        for part in parts {
            stepped[part.index] = true;
        }
        let mut problems: Vec<Option<String>> = vec![None; self.active.len()];
        for (index, problem) in failed {
            problems[index] = Some(problem);
        }
        let all = std::mem::take(&mut self.active);
        for ((sequence, stepped), problem) in all.into_iter().zip(stepped).zip(problems) {
            if let Some(problem) = problem {
                sequence.fail(&problem);
            } else if stepped {
                self.tell_one(sequence);
            } else {
                self.active.push(sequence);
            }
        }
    }

    fn tell_one(&mut self, sequence: Sequence) {
        let arrived = sequence.state.arrived;
        let reused = sequence.state.reused;
        let Progress { told, going, done } = sequence.end_step();
        let all = || going.iter().chain(&done);
        if told {
            add(&self.statistics.generated_tokens, all().count());
        }
        if told && all().any(Sequence::is_first) {
            self.statistics.first_token.record(arrived.elapsed());
            add(&self.statistics.reused_tokens, reused);
        }
        let lost = done.iter().filter(|sequence| sequence.state.is_lost);
        add(&self.statistics.cancelled, lost.count());
        self.active.extend(going);
        for sequence in done {
            self.keep(sequence);
        }
    }

    /// Keeps a finished sequence's cache for others.
    fn keep(&mut self, sequence: Sequence) {
        let decoder = &self.model.decoder;
        // keys that were turned for a long context do not serve a short one
        if !sequence.is_whole(decoder) {
            let most = self.settings.kept;
            self.prefixes.keep(sequence.tokens, sequence.cache, most);
        }
    }

    fn publish_sizes(&self) {
        let statistics = &self.statistics;
        set(&statistics.running, self.active.len() as u64);
        set(&statistics.waiting, self.waiting.len() as u64);
        let bytes = self.active_bytes() + self.prefixes.bytes();
        set(&statistics.cache_bytes, bytes);
    }
}

/// Hands logits to the sequences, and ends a step after its first pass.
#[derive(Debug, Default)]
struct Logits<'a> {
    /// Each sequence's state and length.
    states: Vec<(&'a mut State, usize)>,
}

impl Observer for Logits<'_> {
    fn logits(&mut self, sequence: usize, token: usize, logits: &[f32]) {
        let (state, length) = &mut self.states[sequence];
        state.see(token, *length, logits);
    }

    fn progress(&mut self, _tokens: usize) -> Control {
        Control::Stop
    }
}

/// A step whose panic is an error, so that the other sequences go on.
fn run_step(
    decoder: &Decoder,
    steps: &mut [SequenceStep<'_>],
    logits: &mut Logits<'_>,
) -> Result<(), String> {
    let run = AssertUnwindSafe(|| decoder.step_with(steps, logits));
    match catch_unwind(run) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(BROKE_OFF.to_owned()),
    }
}

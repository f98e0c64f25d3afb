//! The progress of a run that is worked on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::history::Standing;
use super::shared::Shared;
use crate::progress::RunProgress;
use crate::wire::Run;

/// The time over which a rate is taken.
const LATELY: Duration = Duration::from_secs(4);

/// A run that is worked on.
#[derive(Debug)]
pub(super) struct Live {
    id: i64,
    /// Where its log is.
    shared: Weak<Shared>,
    /// Whether somebody does not want it any more.
    cancelled: AtomicBool,
    interrupt: AtomicBool,
    gauge: Mutex<Gauge>,
}

#[derive(Debug, Default)]
struct Gauge {
    standing: Standing,
    /// What was done when, oldest first.
    samples: VecDeque<(Instant, u64)>,
    is_news: bool,
}

impl Gauge {
    /// Notes what is done now.
    fn sample(&mut self, now: Instant) {
        let is_old = |(at, _): &(Instant, u64)| now.duration_since(*at) >= LATELY;
        // the newest of the old ones is where the time begins
        while self.samples.get(1).is_some_and(is_old) {
            self.samples.pop_front();
        }
        self.samples.push_back((now, self.standing.done));
    }

    /// How much was done in a second, lately.
    fn rate(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        (seconds > 0.1).then(|| last.1.saturating_sub(first.1) as f64 / seconds)
    }
}

impl Live {
    pub(super) fn new(id: i64, shared: Weak<Shared>) -> Self {
        Self {
            id,
            shared,
            cancelled: AtomicBool::new(false),
            interrupt: AtomicBool::new(false),
            gauge: Mutex::default(),
        }
    }

    /// Asks the work to stop, for good or because the server ends.
    pub(super) fn stop(&self, for_good: bool) {
        if for_good {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        self.interrupt.store(true, Ordering::Relaxed);
    }

    /// Whether somebody does not want it any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// How far it is.
    pub(super) fn standing(&self) -> Standing {
        self.gauge().standing.clone()
    }

    /// Whether something is new since this was last asked.
    pub(super) fn take_news(&self) -> bool {
        let mut gauge = self.gauge();
        gauge.sample(Instant::now());
        std::mem::take(&mut gauge.is_news)
    }

    /// Puts how far it is into what the history says of it.
    pub(super) fn show_in(&self, run: &mut Run) {
        let gauge = self.gauge();
        gauge.standing.show_in(run);
        run.rate = gauge.rate();
        let left = run.total.saturating_sub(run.done) as f64;
        run.eta = run.rate.filter(|rate| *rate > 0.0).map(|rate| left / rate);
        if self.interrupt.load(Ordering::Relaxed) {
            run.stage = Some("stopping".to_owned());
        }
    }

    fn gauge(&self) -> MutexGuard<'_, Gauge> {
        self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunProgress for Live {
    fn expect(&self, total: u64, done: u64) {
        let mut gauge = self.gauge();
        gauge.standing.total = total;
        gauge.standing.done = done;
        gauge.samples = VecDeque::from([(Instant::now(), done)]);
        gauge.is_news = true;
    }

    fn advance(&self, amount: u64) {
        let mut gauge = self.gauge();
        gauge.standing.done += amount;
        gauge.is_news = true;
    }

    fn tensors(&self, done: u64, total: u64) {
        let mut gauge = self.gauge();
        gauge.standing.tensors_done = Some(done);
        gauge.standing.tensors = Some(total);
    }

    fn stage(&self, name: &str) {
        let mut gauge = self.gauge();
        gauge.standing.stage = Some(name.to_owned());
        gauge.is_news = true;
    }

    fn log(&self, text: &str) {
        if let Some(shared) = self.shared.upgrade() {
            shared.log(self.id, text);
        }
    }

    fn interrupt(&self) -> &AtomicBool {
        &self.interrupt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let begin = Instant::now();
        let mut gauge = Gauge::default();
        // a slow beginning that is forgotten
        for (second, done) in [(0, 0), (10, 10), (11, 110), (12, 210), (13, 310), (14, 410)] {
            gauge.standing.done = done;
            gauge.sample(begin + Duration::from_secs(second));
        }
        assert_eq!(gauge.rate(), Some(100.0));
        gauge.sample(begin + Duration::from_mins(1));
        gauge.sample(begin + Duration::from_secs(61));
        gauge.sample(begin + Duration::from_secs(65));
        assert_eq!(gauge.rate(), Some(0.0));
        assert_eq!(Gauge::default().rate(), None);
    }

    #[test]
    fn news_are_told_once() {
        let live = Live::new(1, Weak::new());
        assert!(!live.take_news());
        live.expect(10, 2);
        live.advance(3);
        assert!(live.take_news());
        assert!(!live.take_news());
        let standing = live.standing();
        assert_eq!((standing.done, standing.total), (5, 10));
    }
}

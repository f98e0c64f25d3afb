//! Worker threads that share the work of one step.
//!
//! A step of a decoder is a few hundred short jobs, so handing one out must cost microseconds. Waiting threads spin for
//! a moment and then sleep, and whoever is free takes the next part: a thread that loses its core delays only the part it holds.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::hint;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a thread looks for work before it sleeps: about what waking it up would cost.
const SPIN: Duration = Duration::from_micros(20);

thread_local! {
    /// Whether this thread is doing a part of a job: jobs within parts are done by the thread itself.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Worker threads for one process, shared by [`Arc`].
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held by the caller whose job is being done.
    turn: Mutex<()>,
}

/// What the caller and the workers look at.
#[derive(Default)]
struct Shared {
    /// Parts of the job that nobody has begun.
    unclaimed: AtomicUsize,
    /// Parts of the job that are not done.
    undone: AtomicUsize,
    /// The job. Lives as long as `undone` is not 0.
    job: AtomicPtr<Job<'static>>,
    /// Whether the workers should end.
    closing: AtomicBool,
    /// Number of workers that sleep, or are about to.
    asleep: AtomicUsize,
    /// Whether the caller sleeps, or is about to.
    caller_asleep: AtomicBool,
    /// Guards going to sleep against being woken up too early.
    gate: Mutex<()>,
    started: Condvar,
    finished: Condvar,
}

struct Job<'a> {
    parts: usize,
    work: &'a (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Pool {
    /// A pool in which `threads` threads work, the caller of [`Pool::run`] among them; fewer if the system gives no more.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let workers = (1..threads)
            .map_while(|number| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("infer-{number}"))
                    .spawn(move || shared.serve())
                    .ok()
            })
            .collect();
        Self {
            shared,
            workers,
            turn: Mutex::default(),
        }
    }

    /// Number of threads that work, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work` once with each of `0..parts`, in any order, on all threads; returns when all are done.
    ///
    /// Callers on several threads take turns. A call from within `work` does all its parts itself.
    ///
    /// # Panics
    /// With the first panic of `work`, after all parts were called.
    pub fn run(&self, parts: usize, work: &(dyn Fn(usize) + Sync)) {
        if parts <= 1 || self.workers.is_empty() || WITHIN.get() {
            return (0..parts).for_each(work);
        }
        let turn = locked(&self.turn);
        let job = Job {
            parts,
            work,
            panic: Mutex::default(),
        };
        self.shared.begin(&job);
        WITHIN.set(true);
        while self.shared.do_part() {}
        WITHIN.set(false);
        self.shared.wait_until_done();
        drop(turn);
        let panic = job.panic.into_inner();
        if let Some(panic) = panic.unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        drop(locked(&self.shared.gate));
        self.shared.started.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Puts a job up. The caller must not return before [`Shared::wait_until_done`] has.
    fn begin(&self, job: &Job<'_>) {
        let parts = job.parts;
        self.job
            .store(ptr::from_ref(job).cast_mut().cast(), Ordering::Relaxed);
        self.undone.store(parts, Ordering::Relaxed);
        self.unclaimed.store(parts, Ordering::SeqCst);
        let asleep = self.asleep.load(Ordering::SeqCst);
        if asleep > 0 {
            drop(locked(&self.gate));
            for _ in 0..asleep.min(parts - 1) {
                self.started.notify_one();
            }
        }
    }

    /// Does a part that nobody has begun; false if there is none.
    #[expect(unsafe_code, reason = "the job is borrowed from the caller's stack")]
    fn do_part(&self) -> bool {
        let claim = self
            .unclaimed
            .try_update(Ordering::Acquire, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        let Ok(left) = claim else {
            return false;
        };
        let job = self.job.load(Ordering::Relaxed);
        // SAFETY: taking from `unclaimed` makes visible the job that was put up before it was set. That job stays alive
        // while `undone` counts the claimed part, for its caller waits in `wait_until_done`; the last use is before the
        // subtraction below.
        let job: &Job<'_> = unsafe { &*job };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (job.work)(job.parts - left))) {
            locked(&job.panic).get_or_insert(panic);
        }
        let last = self.undone.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && self.caller_asleep.load(Ordering::SeqCst) {
            drop(locked(&self.gate));
            self.finished.notify_one();
        }
        true
    }

    fn wait_until_done(&self) {
        let done = || self.undone.load(Ordering::SeqCst) == 0;
        if spin_until(done) {
            return;
        }
        self.caller_asleep.store(true, Ordering::SeqCst);
        let mut gate = locked(&self.gate);
        while !done() {
            gate = self
                .finished
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.caller_asleep.store(false, Ordering::SeqCst);
    }

    /// The life of a worker.
    fn serve(&self) {
        WITHIN.set(true);
        let called =
            || self.unclaimed.load(Ordering::SeqCst) > 0 || self.closing.load(Ordering::SeqCst);
        loop {
            while self.do_part() {}
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            if spin_until(called) {
                continue;
            }
            let mut gate = locked(&self.gate);
            self.asleep.fetch_add(1, Ordering::SeqCst);
            while !called() {
                gate = self
                    .started
                    .wait(gate)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Whether the condition came true within [`SPIN`].
fn spin_until(condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    loop {
        for _ in 0..16 {
            if condition() {
                return true;
            }
            hint::spin_loop();
        }
        if start.elapsed() > SPIN {
            return condition();
        }
    }
}

/// No lock here guards data that a panic could leave half-changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_called_once() {
        for threads in [0, 1, 2, 7] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads.max(1));
            for parts in [0, 1, 2, 3, 100] {
                let calls: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
                pool.run(parts, &|part| {
                    calls[part].fetch_add(1, Ordering::Relaxed);
                });
                assert!(calls.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn thousands_of_short_jobs_lose_nothing_with_more_threads_than_cores() {
        let pool = Pool::new(16);
        let sum = AtomicUsize::new(0);
        for round in 0..5_000 {
            pool.run(1 + round % 9, &|_| {
                sum.fetch_add(1, Ordering::Relaxed);
            });
            if round % 500 == 0 {
                thread::sleep(Duration::from_micros(200));
            }
        }
        assert_eq!(
            sum.into_inner(),
            (0..5_000).map(|round| 1 + round % 9).sum::<usize>()
        );
    }

    #[test]
    fn several_callers_and_jobs_within_jobs_finish() {
        let pool = Pool::new(3);
        let sum = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        pool.run(5, &|_| {
                            pool.run(3, &|part| {
                                sum.fetch_add(part, Ordering::Relaxed);
                            });
                        });
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 4 * 100 * 5 * 3);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        for threads in [1, 2, 7] {
            let pool = Pool::new(threads);
            for _ in 0..20 {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    pool.run(10, &|part| assert!(part != 6, "part six"));
                }));
                let panic = caught.unwrap_err();
                assert_eq!(panic.downcast_ref::<&str>(), Some(&"part six"));
                let calls = AtomicUsize::new(0);
                pool.run(10, &|_| {
                    calls.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(calls.into_inner(), 10);
            }
        }
    }

    #[test]
    fn a_slow_part_does_not_hold_up_the_others() {
        let pool = Pool::new(2);
        let by_thread = Mutex::new(Vec::new());
        pool.run(20, &|part| {
            let pause = if part == 0 { 60 } else { 1 };
            thread::sleep(Duration::from_millis(pause));
            by_thread.lock().unwrap().push(thread::current().id());
        });
        let by_thread = by_thread.into_inner().unwrap();
        let slow = by_thread[19];
        let done_by_slow = by_thread.iter().filter(|&&id| id == slow).count();
        assert!(
            done_by_slow < 10,
            "{done_by_slow} of 20 parts by the slow thread"
        );
    }
}

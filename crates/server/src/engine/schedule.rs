//! Which tokens go into the next step.

use std::time::Duration;

use weightsmith_infer::MAX_PASS_TOKENS;

use super::CHUNK;

/// What a step may take: the longest that the others wait for a prompt.
const STEP: Duration = Duration::from_millis(250);

/// Steps of which one serves the oldest prompt instead of the shortest.
const TURN: u64 = 4;

/// A sequence, as far as the schedule is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Tokens in the cache.
    pub(super) cached: usize,
    /// Tokens that are not.
    pub(super) pending: usize,
    /// All pending tokens must be in one step.
    pub(super) whole: bool,
}

/// A sequence's part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Index among the candidates.
    pub(super) index: usize,
    /// How many of its pending tokens.
    pub(super) count: usize,
}

/// How much of prompts a step takes, by what steps took so far.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Tokens of prompts in a second; 0 before the first step.
    speed: f64,
    steps: u64,
}

impl Pace {
    /// Counts a step with so many tokens of prompts.
    pub(super) fn record(&mut self, prompt_tokens: usize, took: Duration) {
        self.steps += 1;
        if prompt_tokens < CHUNK {
            return;
        }
        let speed = prompt_tokens as f64 / took.as_secs_f64().max(1e-6);
        self.speed = if self.speed == 0.0 {
            speed
        } else {
            0.7 * self.speed + 0.3 * speed
        };
    }

    /// Tokens of prompts in the next step, a whole number of chunks.
    fn budget(&self) -> usize {
        let most = (MAX_PASS_TOKENS - CHUNK) / CHUNK;
        let chunks = (self.speed * STEP.as_secs_f64()) as usize / CHUNK;
        chunks.clamp(1, most) * CHUNK
    }

    /// The parts of the next step. Candidates are in the order of their arrival.
    pub(super) fn next_step(&self, candidates: &[Candidate]) -> Vec<Part> {
        let all = || candidates.iter().enumerate();
        let mut parts: Vec<Part> = all()
            .filter(|(_, one)| one.pending == 1)
            .map(|(index, _)| Part { index, count: 1 })
            .collect();
        let mut prompts: Vec<(usize, Candidate)> = all()
            .filter(|(_, one)| one.pending > 1)
            .map(|(index, one)| (index, *one))
            .collect();
        if !self.steps.is_multiple_of(TURN) {
            prompts.sort_by_key(|(_, one)| one.pending);
        }
        let room = MAX_PASS_TOKENS.saturating_sub(parts.len()) / CHUNK * CHUNK;
        let mut left = self.budget().min(room.max(CHUNK));
        let mut whole = None;
        for (index, one) in prompts {
            if one.whole {
                whole = whole.or(Some(Part {
                    index,
                    count: one.pending,
                }));
                continue;
            }
            let count = chunk(one, left);
            left -= count;
            if count > 0 {
                parts.push(Part { index, count });
            }
        }
        // it goes last, and takes what room the pass has
        parts.extend(whole);
        parts
    }
}

/// How many tokens a prompt may have of a number that is left: up to a multiple of [`CHUNK`], or its end if it is in the same chunk.
fn chunk(one: Candidate, left: usize) -> usize {
    let end = one.cached + one.pending;
    let last = end / CHUNK * CHUNK;
    if one.cached >= last {
        return if one.pending <= left { one.pending } else { 0 };
    }
    let reach = (one.cached + left) / CHUNK * CHUNK;
    reach.min(last).saturating_sub(one.cached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(cached: usize, pending: usize) -> Candidate {
        Candidate {
            cached,
            pending,
            whole: false,
        }
    }

    fn parts(pace: &Pace, candidates: &[Candidate]) -> Vec<(usize, usize)> {
        let parts = pace.next_step(candidates);
        parts.iter().map(|part| (part.index, part.count)).collect()
    }

    fn pace(speed: f64) -> Pace {
        Pace { speed, steps: 1 }
    }

    #[test]
    fn continuations_go_first_and_the_shortest_prompt_gets_the_chunk() {
        let all = [candidate(0, 8000), candidate(9, 1), candidate(0, 40)];
        assert_eq!(parts(&pace(0.0), &all), [(1, 1), (2, 40)]);
        assert_eq!(parts(&pace(600.0), &all), [(1, 1), (2, 40), (0, 64)]);
    }

    #[test]
    fn every_fourth_step_serves_the_oldest_prompt() {
        let all = [candidate(64, 8000), candidate(0, 40)];
        let oldest = Pace {
            speed: 0.0,
            steps: 8,
        };
        assert_eq!(parts(&oldest, &all), [(0, 64)]);
    }

    #[test]
    fn chunks_end_at_the_same_places_at_any_speed() {
        let cuts = |speed: f64| {
            let mut one = candidate(0, 331);
            let mut ends = Vec::new();
            while one.pending > 0 {
                let count = parts(&pace(speed), &[one])[0].1;
                one = candidate(one.cached + count, one.pending - count);
                ends.push(one.cached);
            }
            ends
        };
        assert_eq!(cuts(0.0), [64, 128, 192, 256, 320, 331]);
        assert_eq!(cuts(800.0), [192, 320, 331]);
        assert_eq!(cuts(1e9), [320, 331]);
    }

    #[test]
    fn a_step_takes_about_a_quarter_of_a_second() {
        let mut pace = Pace::default();
        assert_eq!(pace.budget(), CHUNK);
        pace.record(CHUNK, Duration::from_millis(64));
        assert_eq!(pace.budget(), 192);
        for _ in 0..50 {
            pace.record(192, Duration::from_secs(1));
        }
        assert_eq!(pace.budget(), CHUNK);
    }

    #[test]
    fn a_step_is_one_pass_however_many_continue() {
        let mut all = vec![candidate(0, 8000)];
        all.extend((0..200).map(|_| candidate(9, 1)));
        let parts = parts(&pace(1e9), &all);
        assert_eq!(parts.len(), 201);
        assert_eq!(parts.last(), Some(&(0, 256)));
    }

    #[test]
    fn what_must_be_whole_goes_last() {
        let mut all = [candidate(0, 900), candidate(5, 1), candidate(0, 30)];
        all[0].whole = true;
        assert_eq!(parts(&pace(0.0), &all), [(1, 1), (2, 30), (0, 900)]);
    }
}

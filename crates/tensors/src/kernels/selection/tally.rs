//! What one worker counts in one pass.

/// The counts of a worker in one pass of a [`Search`](super::Search), to be merged with those of the others in any order.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The keys of whole pieces, in a pass that looks at a sample.
    pub(super) sample: Vec<u64>,
    /// One for each cut, empty where the cut is known.
    pub(super) counts: Vec<Counts>,
}

/// What is counted for one cut.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Keys above the bracket.
    pub(super) above: u64,
    /// Keys above the guess.
    pub(super) above_guess: u64,
    /// Keys that are not zero, where that decides how many are sought.
    pub(super) nonzero: u64,
    /// Keys in each bin of the bracket.
    pub(super) bins: Vec<u64>,
    /// Keys equal to the guess or the key that is known, span by span.
    pub(super) ties: Vec<u32>,
}

impl Tally {
    /// Adds what another worker counted in the same pass.
    pub fn merge(&mut self, other: Self) {
        self.sample.extend(other.sample);
        for (counts, other) in self.counts.iter_mut().zip(&other.counts) {
            counts.above += other.above;
            counts.above_guess += other.above_guess;
            counts.nonzero += other.nonzero;
            for (bin, other) in counts.bins.iter_mut().zip(&other.bins) {
                *bin += other;
            }
            for (ties, other) in counts.ties.iter_mut().zip(&other.ties) {
                *ties += other;
            }
        }
    }
}

//! What is wrong with the values of a tensor.

/// A problem with the values of a tensor, found while computing a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// NaN or infinite elements in the result.
    pub non_finite: u64,
    /// NaN or infinite elements in each source.
    pub sources: Vec<u64>,
    /// Position of a source that differs from the first where all must be equal.
    pub unequal: Option<usize>,
}

impl Findings {
    /// True when there is no problem.
    pub fn is_clean(&self) -> bool {
        self.non_finite == 0
            && self.unequal.is_none()
            && self.sources.iter().all(|count| *count == 0)
    }

    /// Adds what was found in another part of the tensor.
    pub fn add(&mut self, other: Self) {
        self.non_finite += other.non_finite;
        self.sources
            .resize(self.sources.len().max(other.sources.len()), 0);
        for (sum, count) in self.sources.iter_mut().zip(other.sources) {
            *sum += count;
        }
        self.unequal = self.unequal.or(other.unequal);
    }
}

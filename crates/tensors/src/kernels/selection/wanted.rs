//! How many elements a search is for.

/// Elements from the start of the order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    /// This many.
    First(u64),
    /// This share, below 1, of those that are not zero: it is known how many these are once all were looked at.
    Share(f64),
}

impl Wanted {
    /// How many they are, where so many are not zero.
    pub(super) fn of(self, nonzero: u64) -> u64 {
        match self {
            Self::First(k) => k,
            Self::Share(share) => (share * nonzero as f64) as u64,
        }
    }

    /// The share of those that are not zero; 0 where these do not matter.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::First(_) => 0.0,
            Self::Share(share) => share,
        }
    }
}

//! Shares: how much of the server all requests together may use, and how much one client of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A number of things that may be in use at once, in sum and for each owner.
#[derive(Debug)]
pub(super) struct Share<K> {
    used: Mutex<Used<K>>,
    most: usize,
    most_each: usize,
}

#[derive(Debug)]
struct Used<K> {
    sum: usize,
    by_owner: BTreeMap<K, usize>,
}

/// One of them; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Taken<K: Ord + Clone + fmt::Debug> {
    share: Arc<Share<K>>,
    owner: K,
}

impl<K: Ord + Clone + fmt::Debug> Share<K> {
    pub(super) fn new(most: usize, most_each: usize) -> Arc<Self> {
        let used = Used {
            sum: 0,
            by_owner: BTreeMap::new(),
        };
        Arc::new(Self {
            used: Mutex::new(used),
            most,
            most_each,
        })
    }

    /// One more for an owner, if there is one.
    pub(super) fn take(self: &Arc<Self>, owner: &K) -> Option<Taken<K>> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let has = used.by_owner.get(owner).copied().unwrap_or(0);
        if used.sum >= self.most || has >= self.most_each {
            return None;
        }
        used.sum += 1;
        used.by_owner.insert(owner.clone(), has + 1);
        Some(Taken {
            share: Arc::clone(self),
            owner: owner.clone(),
        })
    }
}

impl<K: Ord + Clone + fmt::Debug> Drop for Taken<K> {
    fn drop(&mut self) {
        let used = &self.share.used;
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        used.sum -= 1;
        match used.by_owner.get_mut(&self.owner) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(used.by_owner.remove(&self.owner)),
        }
    }
}

/// Bytes that may be in use at once.
#[derive(Debug)]
pub(super) struct Budget {
    left: Mutex<u64>,
    whole: u64,
}

/// Bytes in use; dropped, they are free again.
#[derive(Debug)]
pub(super) struct Spent {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            left: Mutex::new(bytes),
            whole: bytes,
        })
    }

    /// All that there is.
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    /// Nothing yet.
    pub(super) fn spend_nothing(self: &Arc<Self>) -> Spent {
        Spent {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Spent {
    /// More bytes, if there are so many.
    pub(super) fn more(&mut self, bytes: u64) -> bool {
        let mut left = self
            .budget
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_there = *left >= bytes;
        if is_there {
            *left -= bytes;
            self.bytes += bytes;
        }
        is_there
    }
}

impl Drop for Spent {
    fn drop(&mut self) {
        let mut left = self
            .budget
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *left += self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_bounded_in_sum_and_for_each_owner() {
        let share = Share::new(3, 2);
        let mut taken: Vec<_> = (0..2).map(|_| share.take(&"a").expect("room")).collect();
        assert!(share.take(&"a").is_none());
        taken.push(share.take(&"b").expect("room"));
        assert!(share.take(&"c").is_none());
        taken.remove(0);
        let _again = share.take(&"a").expect("room");
        drop(taken);
        let used = share.used.lock().unwrap();
        assert_eq!((used.sum, used.by_owner.len()), (1, 1));
    }

    #[test]
    fn bytes_come_back_when_they_are_not_used_any_more() {
        let budget = Budget::new(10);
        let mut one = budget.spend_nothing();
        let mut other = budget.spend_nothing();
        assert!(one.more(6) && other.more(4) && !one.more(1));
        drop(other);
        assert!(one.more(4) && !one.more(1));
        drop(one);
        assert!(budget.spend_nothing().more(10));
    }
}

//! A brake on guesses of the key: whoever brings wrong keys must wait, ever longer, before another is looked at.
//!
//! Guesses are counted by address, an IPv6 network being one. Whoever brings the right key from another address is never held up, nor is
//! a session of a browser, nor a connection whose last request brought the right key.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong keys that cost nothing: typing errors.
const FREE: u32 = 5;

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);

/// After this time without a wrong key an address is forgotten.
const FORGOTTEN: Duration = Duration::from_mins(15);

/// Addresses that are remembered.
const ADDRESSES: usize = 4096;

/// Who brought wrong keys.
#[derive(Debug, Default)]
pub(super) struct Brake {
    guesses: Mutex<BTreeMap<IpAddr, Guesses>>,
}

#[derive(Debug, Clone, Copy)]
struct Guesses {
    count: u32,
    last: Instant,
}

impl Brake {
    /// How long an address has still to wait before a key of its is looked at; `None`: it need not.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let guesses = *self.locked().get(&address)?;
        let since = now.saturating_duration_since(guesses.last);
        let left = guesses.pause().checked_sub(since)?;
        (!left.is_zero()).then_some(left)
    }

    /// Notes a wrong key.
    pub(super) fn count(&self, address: IpAddr, now: Instant) {
        let mut all = self.locked();
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, one| now.saturating_duration_since(one.last) < FORGOTTEN);
            let oldest = all.iter().min_by_key(|(_, one)| one.last);
            let oldest = oldest.map(|(&address, _)| address);
            if let Some(oldest) = oldest.filter(|_| all.len() >= ADDRESSES) {
                all.remove(&oldest);
            }
        }
        let one = all.entry(address).or_insert(Guesses {
            count: 0,
            last: now,
        });
        if now.saturating_duration_since(one.last) >= FORGOTTEN {
            one.count = 0;
        }
        one.count = one.count.saturating_add(1);
        one.last = now;
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Guesses>> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guesses {
    /// One second behind the last free guess, twice as long behind each that follows.
    fn pause(self) -> Duration {
        let Some(beyond) = self.count.checked_sub(FREE) else {
            return Duration::ZERO;
        };
        let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
        Duration::from_secs(seconds).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn waits_double_up_to_a_minute_and_hold_up_no_other_address() {
        let brake = Brake::default();
        let begin = Instant::now();
        let other = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..FREE - 1 {
            brake.count(HERE, begin);
            assert_eq!(brake.wait(HERE, begin), None);
        }
        let mut now = begin;
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            brake.count(HERE, now);
            assert_eq!(brake.wait(HERE, now), Some(seconds(expected)));
            assert_eq!(brake.wait(other, now), None);
            now += seconds(expected);
            assert_eq!(brake.wait(HERE, now), None);
        }
        // a day has 86,400 seconds: hardly more than one guess a minute
        for _ in 0..100 {
            brake.count(HERE, now);
        }
        assert_eq!(brake.wait(HERE, now), Some(LONGEST));
        now += FORGOTTEN;
        brake.count(HERE, now);
        assert_eq!(brake.wait(HERE, now), None);
    }

    #[test]
    fn many_addresses_take_a_bounded_memory() {
        let brake = Brake::default();
        let begin = Instant::now();
        for number in 0..ADDRESSES as u32 + 100 {
            let now = begin + Duration::from_millis(number.into());
            brake.count(IpAddr::from(number.to_be_bytes()), now);
        }
        let all = brake.locked();
        assert_eq!(all.len(), ADDRESSES);
        // the oldest are forgotten
        assert!(!all.contains_key(&IpAddr::from(0_u32.to_be_bytes())));
    }
}

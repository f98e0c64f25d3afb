//! Places for connections: who holds one, what it is used for, and who gives it up when all are taken.
//!
//! A client that connects always gets a place. When all are taken, connections on which no request is under way are closed, first those of
//! the address that has the most of them, the longest idle first; then those whose client neither sends the rest of its request
//! nor reads its answer. So connections that do nothing shut nobody out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

/// Connections beyond all places, for the moment in which others are closed.
const RESERVE: usize = 64;

/// A client that takes so long over a part of a request or an answer may lose its place to another.
const SLOW: Duration = Duration::from_secs(5);

/// How many requests are under way on a connection that was closed for another.
const CLOSED: i32 = -1;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    table: Mutex<Table>,
    most: usize,
}

#[derive(Debug, Default)]
struct Table {
    seats: BTreeMap<u64, Arc<Seat>>,
    next: u64,
}

/// A connection's place.
#[derive(Debug)]
pub(crate) struct Seat {
    address: IpAddr,
    begun: Instant,
    /// Requests under way, or [`CLOSED`].
    requests: AtomicI32,
    /// When a byte moved last, in milliseconds since the beginning.
    moved: AtomicU64,
    /// Since when the client is waited for, for the rest of a request or for it to read, as `moved`; 0: it is not.
    waits: AtomicU64,
    /// Its last request brought the key.
    is_proven: AtomicBool,
    task: OnceLock<AbortHandle>,
}

/// A place that is taken; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    seat: Arc<Seat>,
}

/// A request that is under way on a connection.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Seat>);

impl Places {
    /// So many places.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            most: most.max(1),
        })
    }

    /// A place, where others make room if they must; none when everybody works.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut table = self.locked();
        if table.seats.len() >= self.most {
            // several at once, so that it costs little for each
            table.make_room((self.most / 64).max(1));
        }
        if table.seats.len() >= self.most + RESERVE {
            return None;
        }
        let seat = Arc::new(Seat::new(address));
        let number = table.next;
        table.next += 1;
        table.seats.insert(number, Arc::clone(&seat));
        Some(Place {
            places: Arc::clone(self),
            number,
            seat,
        })
    }

    /// Closes some connections, as the system has no descriptors left.
    pub(crate) fn make_room(&self) {
        self.locked().make_room((self.most / 64).max(1));
    }

    fn locked(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Closes so many connections, or as many as may be closed.
    fn make_room(&mut self, count: usize) {
        let mut idle: BTreeMap<IpAddr, Vec<(Instant, u64)>> = BTreeMap::new();
        for (&number, seat) in &self.seats {
            if seat.requests.load(Ordering::Relaxed) == 0 {
                let list = idle.entry(network(seat.address)).or_default();
                list.push((seat.moved(), number));
            }
        }
        for list in idle.values_mut() {
            // the longest idle comes last
            list.sort_unstable_by(|one, other| other.cmp(one));
        }
        for _ in 0..count {
            let most = idle.values_mut().max_by_key(|list| list.len());
            let Some((_, number)) = most.and_then(Vec::pop) else {
                return self.close_slow(count);
            };
            if self.seats.get(&number).is_some_and(|seat| seat.close()) {
                self.seats.remove(&number);
            }
        }
    }

    /// Closes the connections whose clients are waited for longest, where that is long enough.
    fn close_slow(&mut self, count: usize) {
        let waiting = self.seats.iter().filter_map(|(&number, seat)| {
            let since = seat.waits_since()?;
            (since.elapsed() >= SLOW).then_some((seat.is_proven(), since, number))
        });
        let mut slow: Vec<(bool, Instant, u64)> = waiting.collect();
        slow.sort_unstable();
        for (_, _, number) in slow.into_iter().take(count) {
            if let Some(seat) = self.seats.remove(&number) {
                seat.end();
            }
        }
    }
}

impl Seat {
    fn new(address: IpAddr) -> Self {
        Self {
            address,
            begun: Instant::now(),
            requests: AtomicI32::new(0),
            moved: AtomicU64::new(0),
            waits: AtomicU64::new(0),
            is_proven: AtomicBool::new(false),
            task: OnceLock::new(),
        }
    }

    /// The client's address.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// A request begins; `None` if the connection was just closed for another.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Busy> {
        self.touch();
        let more = |count| (count != CLOSED).then_some(count + 1);
        self.requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Busy(Arc::clone(self)))
    }

    /// A byte moved.
    pub(crate) fn touch(&self) {
        self.moved.store(self.now(), Ordering::Relaxed);
    }

    /// Notes whether the client is waited for from now on.
    pub(crate) fn set_waits(&self, waits: bool) {
        let since = if waits { self.now() } else { 0 };
        self.waits.store(since, Ordering::Relaxed);
    }

    /// Whether its last request brought the key.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Relaxed)
    }

    /// Notes whether a request brought the key.
    pub(crate) fn set_proven(&self, is_proven: bool) {
        self.is_proven.store(is_proven, Ordering::Relaxed);
    }

    /// Notes the task that ends when the connection is closed for another.
    pub(crate) fn set_task(&self, task: AbortHandle) {
        let task = self.task.get_or_init(|| task);
        // closed before it was known
        if self.requests.load(Ordering::Relaxed) == CLOSED {
            task.abort();
        }
    }

    fn moved(&self) -> Instant {
        self.begun + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    fn waits_since(&self) -> Option<Instant> {
        let since = self.waits.load(Ordering::Relaxed);
        (since > 0).then(|| self.begun + Duration::from_millis(since))
    }

    /// Milliseconds since the beginning, never 0.
    fn now(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64 + 1
    }

    /// Closes the connection unless a request is under way.
    fn close(&self) -> bool {
        let closed =
            self.requests
                .compare_exchange(0, CLOSED, Ordering::Relaxed, Ordering::Relaxed);
        if closed.is_ok() {
            self.end();
        }
        closed.is_ok()
    }

    fn end(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Place {
    /// The place's own connection.
    pub(crate) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.locked().seats.remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.touch();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What counts as one address: an IPv6 network, as whoever has one has 2⁶⁴ addresses.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn other(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn is_open(place: &Place) -> bool {
        let table = place.places.locked();
        table.seats.contains_key(&place.number)
    }

    fn idle_for(place: &Place, seconds: u64) {
        let seat = place.seat();
        // before the beginning, as the clock cannot be moved
        seat.moved
            .store(100_000 - seconds * 1000, Ordering::Relaxed);
    }

    #[test]
    fn the_longest_idle_connection_makes_room() {
        let places = Places::new(3);
        let taken: Vec<Place> = (0..3).map(|_| places.take(HERE).expect("room")).collect();
        for (place, seconds) in taken.iter().zip([5, 9, 7]) {
            idle_for(place, seconds);
        }
        let new = places.take(HERE).expect("room");
        assert_eq!(
            taken.iter().map(is_open).collect::<Vec<_>>(),
            [true, false, true]
        );
        assert!(is_open(&new));
        assert!(taken[1].seat().begin().is_none());
    }

    #[test]
    fn the_address_with_the_most_connections_gives_way_first() {
        let places = Places::new(4);
        let old = places.take(other(1)).expect("room");
        idle_for(&old, 90);
        let many: Vec<Place> = (0..3)
            .map(|_| places.take(other(2)).expect("room"))
            .collect();
        let _new = places.take(other(3)).expect("room");
        assert!(is_open(&old));
        assert_eq!(many.iter().filter(|place| is_open(place)).count(), 2);
    }

    #[test]
    fn who_works_keeps_the_place_and_there_is_a_reserve() {
        let places = Places::new(2);
        let taken: Vec<Place> = (0..2).map(|_| places.take(HERE).expect("room")).collect();
        let busy: Vec<Busy> = taken.iter().filter_map(|one| one.seat().begin()).collect();
        let more: Vec<Place> = (0..RESERVE)
            .map(|_| places.take(HERE).expect("room"))
            .collect();
        assert!(taken.iter().all(is_open));
        // each took the place of the idle one before it
        assert_eq!(more.iter().filter(|place| is_open(place)).count(), 1);
        let all_busy: Vec<Busy> = more.iter().filter_map(|one| one.seat().begin()).collect();
        assert_eq!((busy.len(), all_busy.len()), (2, 1));
    }

    #[test]
    fn a_client_that_is_waited_for_too_long_gives_way_when_nobody_is_idle() {
        let places = Places::new(3);
        let taken: Vec<Place> = (0..3).map(|_| places.take(HERE).expect("room")).collect();
        // of the first, the second and the third a byte is waited for since 6 seconds, 1 second, and not at all
        let Some(before) = Instant::now().checked_sub(Duration::from_mins(1)) else {
            return;
        };
        for (place, waits) in taken.iter().zip([54_000, 59_000, 0]) {
            let aged = Seat {
                begun: before,
                requests: AtomicI32::new(1),
                waits: AtomicU64::new(waits),
                ..Seat::new(HERE)
            };
            places.locked().seats.insert(place.number, Arc::new(aged));
        }
        let _new = places.take(HERE).expect("room");
        assert_eq!(
            taken.iter().map(is_open).collect::<Vec<_>>(),
            [false, true, true]
        );
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let parse = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:10.0.0.1"), parse("10.0.0.1"));
        assert_eq!(parse("::1"), "::1".parse::<IpAddr>().expect("an address"));
    }
}

//! What happens when mapped bytes of a file are gone: the file became shorter, or its disk failed.
//!
//! The system then sends SIGBUS to the thread that touches them, which ends the process. The handler here puts zeros where a
//! file of ours was mapped and notes that the mapping is damaged. Who reads goes on, and asks afterwards whether what it
//! read was the file's ([`Watch::is_lost`]). Faults elsewhere are left to the handler that was there before.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

/// Mappings that a block of the registry has room for.
const SLOTS: usize = 64;

/// All mappings. Blocks are only ever added, so that the handler can walk them at any moment.
static REGISTRY: Block = Block::new();
/// Places of the registry that were used and given back.
static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());
/// Whether any mapping was ever damaged: what all readers ask, in one load.
static ANY_LOST: AtomicBool = AtomicBool::new(false);

struct Block {
    slots: [Slot; SLOTS],
    used: AtomicUsize,
    next: OnceLock<Box<Block>>,
}

/// A mapping's place in the registry.
#[derive(Debug)]
struct Slot {
    /// Its first address; 0 where there is none.
    start: AtomicUsize,
    /// The address behind its last byte; written before `start` is.
    end: AtomicUsize,
    lost: AtomicBool,
}

/// A mapping that is watched until this is dropped, which must be before it is unmapped.
#[derive(Debug)]
pub(super) struct Watch(&'static Slot);

impl Watch {
    /// Watches the addresses of a mapped file.
    pub(super) fn new(addresses: Range<usize>) -> Self {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(handler::install);
        let slot = free_slot();
        slot.lost.store(false, Ordering::Relaxed);
        slot.end.store(addresses.end, Ordering::Relaxed);
        slot.start.store(addresses.start, Ordering::Release);
        Self(slot)
    }

    /// Whether some of the bytes that were read may not have been the file's.
    pub(super) fn is_lost(&self) -> bool {
        any_lost() && self.0.lost.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.start.store(0, Ordering::Release);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.0);
    }
}

/// Whether bytes of any file were ever lost.
pub(super) fn any_lost() -> bool {
    ANY_LOST.load(Ordering::Acquire)
}

fn free_slot() -> &'static Slot {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(slot) = free.pop() {
        return slot;
    }
    // under the lock nobody else takes a fresh one
    let mut block = &REGISTRY;
    loop {
        let used = block.used.load(Ordering::Relaxed);
        if let Some(slot) = block.slots.get(used) {
            block.used.store(used + 1, Ordering::Relaxed);
            return slot;
        }
        block = block.next.get_or_init(|| Box::new(Block::new()));
    }
}

impl Block {
    const fn new() -> Self {
        Self {
            slots: [const {
                Slot {
                    start: AtomicUsize::new(0),
                    end: AtomicUsize::new(0),
                    lost: AtomicBool::new(false),
                }
            }; SLOTS],
            used: AtomicUsize::new(0),
            next: OnceLock::new(),
        }
    }
}

/// The mapping that an address lies in, and where it ends. Only loads, as a signal handler may do.
fn mapping_at(address: usize) -> Option<(&'static Slot, usize)> {
    let mut block = &REGISTRY;
    loop {
        for slot in &block.slots {
            let start = slot.start.load(Ordering::Acquire);
            let end = slot.end.load(Ordering::Acquire);
            // the same start once more: the slot did not change hands in between
            if start != 0
                && (start..end).contains(&address)
                && slot.start.load(Ordering::Acquire) == start
            {
                return Some((slot, end));
            }
        }
        block = block.next.get()?;
    }
}

#[cfg(unix)]
mod handler {
    use std::ffi::{c_int, c_void};
    use std::mem::{MaybeUninit, transmute};
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{ANY_LOST, mapping_at};

    /// What was to happen before: the language's runtime looks for overflows of the stack.
    static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();
    static PAGE: AtomicUsize = AtomicUsize::new(0);

    /// A handler that is told of the circumstances, by `SA_SIGINFO`.
    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

    /// Sets the handler; where that fails, the signal does what it did.
    #[expect(unsafe_code, reason = "signal handlers are set by calls into C")]
    pub(super) fn install() {
        // SAFETY: `sysconf` only answers.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        PAGE.store(usize::try_from(page).unwrap_or(0), Ordering::Relaxed);
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: a null pointer for the new action asks for the present one, for which there is room.
        let asked = unsafe { libc::sigaction(libc::SIGBUS, ptr::null(), previous.as_mut_ptr()) };
        if asked != 0 || page <= 0 {
            return;
        }
        // SAFETY: zeros are a valid action, and the call has filled them in.
        let previous = unsafe { previous.assume_init() };
        // it must be there before the handler can be called
        let _ = PREVIOUS.set(previous);
        let handler: Handler = on_sigbus;
        // SAFETY: zeros are a valid action: no flags, no signals blocked.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = handler as usize;
        // on the stack that is kept for signals: the fault may be an overflow of the ordinary one
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: the action is complete, and its handler calls only what a handler may.
        unsafe {
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut());
        }
    }

    #[expect(unsafe_code, reason = "the system passes pointers")]
    extern "C" fn on_sigbus(
        signal: c_int,
        information: *mut libc::siginfo_t,
        context: *mut c_void,
    ) {
        // SAFETY: with `SA_SIGINFO` the system passes what it knows about the signal.
        let (code, address) = unsafe { ((*information).si_code, (*information).si_addr()) };
        // codes above zero are the system's own; others come from a process, and there is no address
        if code > 0 && put_zeros(address as usize) {
            return;
        }
        leave_to_previous(signal, information, context);
    }

    /// Puts zeros in place of a mapping of ours, from the page of the address to its end. False if none is there.
    #[expect(unsafe_code, reason = "pages are replaced by a call into C")]
    fn put_zeros(address: usize) -> bool {
        let Some((slot, end)) = mapping_at(address) else {
            return false;
        };
        let page = address & !(PAGE.load(Ordering::Relaxed) - 1);
        // All that follows at once: page by page, a large file would take a signal and perhaps a mapping for each.
        // SAFETY: The addresses lie in a mapping of ours. The thread that was interrupted is reading it, so it is not unmapped
        // meanwhile. Readers see plain bytes before and after. `mmap` is one system call without locks or memory of its own.
        let placed = unsafe {
            libc::mmap(
                page as *mut c_void,
                end - page,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        if placed == libc::MAP_FAILED {
            return false;
        }
        slot.lost.store(true, Ordering::Release);
        ANY_LOST.store(true, Ordering::Release);
        true
    }

    /// A fault that is not about our files.
    #[expect(unsafe_code, reason = "another handler is called, or the default set")]
    fn leave_to_previous(signal: c_int, information: *mut libc::siginfo_t, context: *mut c_void) {
        if let Some(previous) = PREVIOUS.get() {
            let handler = previous.sa_sigaction;
            if handler != libc::SIG_DFL && handler != libc::SIG_IGN {
                if previous.sa_flags & libc::SA_SIGINFO != 0 {
                    // SAFETY: it was set with `SA_SIGINFO`, so it takes these three.
                    let handler: Handler = unsafe { transmute(handler) };
                    handler(signal, information, context);
                } else {
                    // SAFETY: it was set without `SA_SIGINFO`, so it takes the signal alone.
                    let handler: extern "C" fn(c_int) = unsafe { transmute(handler) };
                    handler(signal);
                }
                return;
            }
        }
        // SAFETY: both calls are allowed in a handler. The signal is blocked here; it is delivered when this returns.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
}

#[cfg(not(unix))]
mod handler {
    /// Systems without SIGBUS do not let a mapped file become shorter.
    pub(super) fn install() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_its_mapping_and_no_longer_than_that() {
        // addresses that no real mapping has: the upper half belongs to the system
        let base = 1 << (usize::BITS - 2);
        let watches: Vec<Watch> = (0..3 * SLOTS)
            .map(|number| Watch::new(base + number * 100..base + number * 100 + 50))
            .collect();
        let last = base + (3 * SLOTS - 1) * 100;
        assert_eq!(mapping_at(last).map(|(_, end)| end), Some(last + 50));
        assert!(mapping_at(last + 49).is_some());
        assert!(mapping_at(last + 50).is_none());
        assert!(mapping_at(last - 1).is_none());
        assert!(watches.iter().all(|watch| !watch.is_lost()));
        drop(watches);
        assert!(mapping_at(last).is_none());
    }
}

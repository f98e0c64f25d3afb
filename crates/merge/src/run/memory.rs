//! How much memory the process uses, as the system counts it.

use std::sync::atomic::{AtomicU64, Ordering};

/// The largest private memory seen so far.
///
/// Private (anonymous) memory is what the process allocated; mapped inputs, which the system can drop at any time, do not
/// count. Linux keeps no peak of it, so it is sampled at every block.
#[derive(Debug, Default)]
pub(super) struct Peak {
    private: AtomicU64,
}

impl Peak {
    /// Looks at the process once more.
    pub(super) fn sample(&self) {
        if let Some(bytes) = status("RssAnon:") {
            self.private.fetch_max(bytes, Ordering::Relaxed);
        }
    }

    /// The largest private memory seen, in bytes; `None` where the system does not tell.
    pub(super) fn private(&self) -> Option<u64> {
        Some(self.private.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }
}

/// The largest resident memory of the process, mapped files included, in bytes.
pub(super) fn peak_resident() -> Option<u64> {
    status("VmHWM:")
}

fn status(field: &str) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let text = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

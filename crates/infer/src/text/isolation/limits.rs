//! What the process for templates may take. Where the system is not Linux, its time alone is bounded, by who asks it.

use std::io;
use std::time::Duration;

/// Memory for a template and its conversation, beside the program itself.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 512 << 20;

/// Seconds of a processor that a job may take.
#[cfg(target_os = "linux")]
const SECONDS: u64 = 15;

/// Closes all files but the pipes.
///
/// To be called first of all, since it closes whatever else is open.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call that the standard library lacks")]
pub(super) fn close_files() {
    // SAFETY: the process has just begun and holds no file but its standard ones, so nobody's descriptor is closed. A kernel
    // without the call refuses it, and the files stay open, which does no harm.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
}

/// Bounds memory, files and core dumps for good.
#[cfg(target_os = "linux")]
pub(super) fn apply() -> io::Result<()> {
    use rustix::process::Resource;

    bound(Resource::As, address_space()? + MEMORY)?;
    bound(Resource::Core, 0)?;
    bound(Resource::Fsize, 0)?;
    // its pipes, and the table of time zones
    bound(Resource::Nofile, 16)
}

/// Lets a job have its time, after those that were busy for so long.
#[cfg(target_os = "linux")]
pub(super) fn allow_time_after(busy: Duration) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // two threads work: one renders, one reads
    let seconds = 2 * busy.as_secs() + SECONDS;
    let limit = Rlimit {
        current: Some(seconds),
        ..getrlimit(Resource::Cpu)
    };
    // where less is allowed already, less it is
    let _ = setrlimit(Resource::Cpu, limit);
}

#[cfg(target_os = "linux")]
fn bound(resource: rustix::process::Resource, most: u64) -> io::Result<()> {
    use rustix::process::{Rlimit, getrlimit, setrlimit};

    let allowed = getrlimit(resource).maximum;
    let most = Some(allowed.map_or(most, |allowed| allowed.min(most)));
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(setrlimit(resource, limit)?)
}

/// Bytes of addresses that the process has now.
#[cfg(target_os = "linux")]
fn address_space() -> io::Result<u64> {
    let status = fs_err::read_to_string("/proc/self/status")?;
    let kibibytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))
        .and_then(|size| size.trim().strip_suffix(" kB")?.parse().ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    Ok(kibibytes << 10)
}

#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of the other system's"
)]
pub(super) fn apply() -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn allow_time_after(_busy: Duration) {}

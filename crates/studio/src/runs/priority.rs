//! Work that can wait lets conversations go first.

/// How much: as `nice` does without a number.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lowers the priority of this thread and of those that it starts from now on.
#[cfg(target_os = "linux")]
pub(super) fn lower() {
    // where it is not allowed, work goes on as before
    let _ = rustix::process::setpriority_process(None, NICE);
}

/// Elsewhere a priority is the whole process's.
#[cfg(not(target_os = "linux"))]
pub(super) fn lower() {}

//! How many connections the process has descriptors for.

/// Connections at most, however many descriptors there are: each takes some kilobytes.
const MOST: usize = 4096;

/// Connections for which there is room. The soft limit of open files is raised as far as the system allows; half of it is left
/// to models, merges and downloads.
#[cfg(unix)]
pub(crate) fn connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // two for each connection, and below what macOS allows
    const WANTED: u64 = 10_240;
    let found = getrlimit(Resource::Nofile);
    let wanted = WANTED.min(found.maximum.unwrap_or(WANTED));
    if found.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: found.maximum,
        };
        // where this is not allowed, what was there is enough for fewer connections
        let _ = setrlimit(Resource::Nofile, raised);
    }
    share(getrlimit(Resource::Nofile).current)
}

/// Connections for which there is room.
#[cfg(not(unix))]
pub(crate) fn connections() -> usize {
    MOST
}

/// Connections for a number of descriptors.
#[cfg(unix)]
fn share(descriptors: Option<u64>) -> usize {
    let half = descriptors.map_or(MOST as u64, |descriptors| descriptors / 2);
    half.clamp(16, MOST as u64) as usize
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_descriptors_are_for_connections() {
        assert_eq!(share(Some(256)), 128);
        assert_eq!(share(Some(1024)), 512);
        assert_eq!(share(Some(1 << 20)), 4096);
        assert_eq!(share(None), 4096);
        assert_eq!(share(Some(8)), 16);
    }
}

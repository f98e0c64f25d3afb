//! The machine and the studio's settings.

use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;

use crate::settings::StudioSettings;
use crate::wire::{HubAccess, System};

/// What a page shows of them.
pub(crate) fn system(settings: &StudioSettings) -> System {
    let memory = memory();
    let text = |path: &Path| path.display().to_string();
    System {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_folder: text(&settings.data),
        models_folder: text(&settings.made()),
        folders: settings.folders.iter().map(|one| text(one)).collect(),
        hub: HubAccess {
            endpoint: settings.hub.endpoint.clone(),
            offline: settings.hub.offline,
            logged_in: settings.hub.token.is_some(),
        },
        cores: available_parallelism().map_or(1, NonZero::get),
        memory_total: memory.total,
        memory_available: memory.available,
        disk_free: disk_free(&settings.data),
        needs_key: settings.needs_key,
    }
}

/// Bytes of memory; 0 where the system does not tell.
#[derive(Debug, Default, PartialEq, Eq)]
struct Memory {
    total: u64,
    available: u64,
}

fn memory() -> Memory {
    let text = fs_err::read_to_string("/proc/meminfo").unwrap_or_default();
    parsed(&text)
}

fn parsed(text: &str) -> Memory {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes = line.trim_start_matches(':').trim().strip_suffix("kB")?;
        Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
    };
    Memory {
        total: field("MemTotal").unwrap_or(0),
        available: field("MemAvailable").unwrap_or(0),
    }
}

#[cfg(unix)]
fn disk_free(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(0, |device| device.f_bavail * device.f_frsize)
}

#[cfg(not(unix))]
fn disk_free(_: &Path) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_what_linux_says() {
        let text = "MemTotal:       16318412 kB\nMemFree:  1 kB\nMemAvailable:    8000 kB\n";
        let memory = parsed(text);
        assert_eq!(
            (memory.total, memory.available),
            (16_318_412 * 1024, 8_192_000)
        );
        assert_eq!(parsed("nothing"), Memory::default());
    }
}

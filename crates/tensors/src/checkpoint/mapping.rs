//! A file in memory.

use std::ops::Range;

/// A whole file, mapped read-only. Nothing is read before it is looked at.
#[derive(Debug)]
pub(super) struct Mapping(memmap2::Mmap);

impl Mapping {
    #[expect(
        unsafe_code,
        reason = "mapping a file is how tensors are read without a copy"
    )]
    pub(super) fn of(file: &fs_err::File) -> std::io::Result<Self> {
        // SAFETY: the map is read-only and private to this value, and no Rust reference into it outlives it. Another
        // process that writes to the file meanwhile changes bytes that are only ever read as plain numbers, after the
        // checked header has been parsed into owned values; one that cuts the file off ends this process with SIGBUS,
        // as for every program that maps files.
        unsafe { memmap2::Mmap::map(file.file()) }.map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Tells the system that the range will be read soon. Only advice: a refusal changes nothing.
    #[cfg(unix)]
    pub(super) fn will_need(&self, range: Range<usize>) {
        let _ = self
            .0
            .advise_range(memmap2::Advice::WillNeed, range.start, range.len());
    }

    /// Systems without `madvise` read ahead on their own.
    #[cfg(not(unix))]
    pub(super) fn will_need(&self, _range: Range<usize>) {}
}

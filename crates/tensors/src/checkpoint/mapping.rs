//! A file in memory.

use std::ops::Range;

use super::lost_pages::Watch;

/// A whole file, mapped read-only. Nothing is read before it is looked at.
#[derive(Debug)]
pub(super) struct Mapping {
    // dropped in this order: nothing is watched that is not mapped
    watch: Option<Watch>,
    map: memmap2::Mmap,
}

impl Mapping {
    #[expect(
        unsafe_code,
        reason = "mapping a file is how tensors are read without a copy"
    )]
    pub(super) fn of(file: &fs_err::File) -> std::io::Result<Self> {
        // SAFETY: the map is read-only and private to this value, and no Rust reference into it outlives it. Another
        // process that writes to the file meanwhile changes bytes that are only ever read as plain numbers: headers are parsed
        // from a copy. Where one cuts the file off, zeros take the place of what is gone, and readers are told.
        let map = unsafe { memmap2::Mmap::map(file.file()) }?;
        let start = map.as_ptr() as usize;
        Ok(Self {
            watch: (!map.is_empty()).then(|| Watch::new(start..start + map.len())),
            map,
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether bytes that were read may not have been the file's.
    pub(super) fn is_lost(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_lost)
    }

    /// Tells the system that the range will be read soon. Only advice: a refusal changes nothing.
    #[cfg(unix)]
    pub(super) fn will_need(&self, range: Range<usize>) {
        let _ = self
            .map
            .advise_range(memmap2::Advice::WillNeed, range.start, range.len());
    }

    /// Systems without `madvise` read ahead on their own.
    #[cfg(not(unix))]
    pub(super) fn will_need(&self, _range: Range<usize>) {}
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn mapped(bytes: u64) -> (tempfile::NamedTempFile, Mapping) {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(bytes).unwrap();
        let mapping = Mapping::of(&fs_err::File::open(file.path()).unwrap()).unwrap();
        (file, mapping)
    }

    #[test]
    fn what_is_cut_off_reads_as_zeros_and_is_told_by_its_mapping_alone() {
        let (file, mapping) = mapped(1 << 20);
        let (_other, untouched) = mapped(1 << 20);
        assert_eq!(mapping.bytes()[1 << 19], 0);
        assert!(!mapping.is_lost());
        file.as_file().set_len(5000).unwrap();
        assert!(mapping.bytes()[..5000].iter().all(|&byte| byte == 0));
        assert!(!mapping.is_lost(), "what is left is still the file's");
        assert!(mapping.bytes().iter().all(|&byte| byte == 0));
        assert!(mapping.is_lost());
        assert!(!untouched.is_lost());
    }

    #[test]
    fn many_threads_may_find_the_same_file_gone() {
        let (file, mapping) = mapped(8 << 20);
        file.as_file().set_len(0).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let bytes = mapping.bytes();
                // backwards, so that each page is a fault of its own
                scope.spawn(move || {
                    let pages = bytes.chunks(4096).rev().skip(thread);
                    assert_eq!(pages.map(|page| u64::from(page[0])).sum::<u64>(), 0);
                });
            }
        });
        assert!(mapping.is_lost());
    }

    #[test]
    fn a_new_mapping_at_the_same_place_is_not_damaged() {
        for _ in 0..100 {
            let (file, mapping) = mapped(8192);
            assert!(!mapping.is_lost());
            file.as_file().set_len(0).unwrap();
            assert_eq!(mapping.bytes()[0], 0);
            assert!(mapping.is_lost());
        }
    }
}

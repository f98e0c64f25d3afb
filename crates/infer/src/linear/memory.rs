//! Memory for weights that are made, not mapped.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// Bytes, zero at first, on large pages where the system has them: matrices are read as fast as memory allows, and looking up
/// small pages takes a third of that.
pub(super) struct Memory(MmapMut);

impl Memory {
    /// # Panics
    /// When the system has no memory left, as for any other allocation.
    pub(super) fn zeroed(length: usize) -> Self {
        // a map of nothing is refused
        let map = MmapMut::map_anon(length.max(1)).expect("memory for weights");
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage); // small pages do as well
        Self(map)
    }

    pub(super) fn copy_of(bytes: &[u8]) -> Self {
        let mut memory = Self::zeroed(bytes.len());
        memory[..bytes.len()].copy_from_slice(bytes);
        memory
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

//! Reproducible numbers.

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.bits());
        words.flat_map(u64::to_le_bytes).take(count).collect()
    }

    /// Evenly spread in -1 to 1, 24 bits each.
    pub(crate) fn unit_f32(&mut self, count: usize) -> Vec<f32> {
        std::iter::repeat_with(|| ((self.bits() >> 40) as f32 - 8_388_608.0) / 8_388_608.0)
            .take(count)
            .collect()
    }
}

//! Which random words a tensor of an input has.

/// The random words of one tensor of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stream {
    pub(super) seed: u64,
    pub(super) id: u64,
}

impl Stream {
    /// Of a tensor, by its name, of the input at a position in the recipe.
    ///
    /// Two streams of a seed differ in 64 bits of a BLAKE3 hash over name and position, and so in their counters: they
    /// share no word.
    pub fn new(seed: u64, tensor: &str, input: usize) -> Self {
        // the position has a fixed length: no other pair of a name and a position gives the same text
        let mut hasher =
            blake3::Hasher::new_derive_key("weightsmith: the random stream of a tensor");
        hasher.update(tensor.as_bytes());
        hasher.update(&(input as u64).to_le_bytes());
        let mut id = [0; 8];
        hasher.finalize_xof().fill(&mut id);
        let id = u64::from_le_bytes(id);
        Self { seed, id }
    }
}

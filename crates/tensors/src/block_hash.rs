//! BLAKE3 of a file whose blocks are finished in any order.
//!
//! BLAKE3 is a tree over chunks of 1024 bytes (<https://github.com/BLAKE3-team/BLAKE3-specs>, section 2.1): blocks of a
//! power of two of them are whole subtrees, so their hashes can be computed apart and joined to the ordinary hash of the file.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use blake3::hazmat::{
    HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes of a block; the last block of a file may be shorter.
pub const HASH_BLOCK: usize = 4 << 20;

/// 32 bytes: the hash of a block (as [`FileBlocks::hash`] defines it) or of a file. Printed and serialised in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockHash([u8; 32]);

/// Hashes do not fit the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} block hashes for a file of {size} bytes, which has {expected} blocks")]
pub struct HashError {
    /// Number of hashes.
    pub found: u64,
    /// Number of blocks of the file.
    pub expected: u64,
    /// Size of the file in bytes.
    pub size: u64,
}

/// A text is not a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hash: 64 hexadecimal digits are expected")]
pub struct ParseHashError(pub String);

/// The blocks of a file of known size.
///
/// # Examples
/// ```
/// use weightsmith_tensors::{FileBlocks, HASH_BLOCK};
///
/// let file = vec![7; HASH_BLOCK + 5];
/// let blocks = FileBlocks::new(file.len() as u64);
/// let last = blocks.hash(1, &file[HASH_BLOCK..]);
/// let first = blocks.hash(0, &file[..HASH_BLOCK]);
/// let root = blocks.root(&[first, last])?;
/// assert_eq!(root.as_bytes(), blake3::hash(&file).as_bytes());
/// # Ok::<(), weightsmith_tensors::HashError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileBlocks {
    size: u64,
}

impl FileBlocks {
    /// The blocks of a file of `size` bytes.
    pub const fn new(size: u64) -> Self {
        Self { size }
    }

    /// Number of blocks: at least one, since an empty file has a hash too.
    pub const fn count(self) -> u64 {
        let blocks = self.size.div_ceil(HASH_BLOCK as u64);
        if blocks == 0 { 1 } else { blocks }
    }

    /// The bytes of a block within the file.
    ///
    /// # Panics
    /// When there is no such block.
    pub fn range(self, block: u64) -> Range<u64> {
        assert!(block < self.count(), "block {block} of {}", self.count());
        let start = block * HASH_BLOCK as u64;
        start..self.size.min(start + HASH_BLOCK as u64)
    }

    /// Hash of a block: its subtree's chaining value. The only block of a small file is the whole tree, so its hash is the file's.
    ///
    /// # Panics
    /// When there is no such block or `bytes` has another length than it.
    pub fn hash(self, block: u64, bytes: &[u8]) -> BlockHash {
        let range = self.range(block);
        assert_eq!(
            bytes.len() as u64,
            range.end - range.start,
            "bytes of block {block} of {self:?}"
        );
        if self.count() == 1 {
            return BlockHash(*blake3::hash(bytes).as_bytes());
        }
        BlockHash(
            blake3::Hasher::new()
                .set_input_offset(range.start)
                .update(bytes)
                .finalize_non_root(),
        )
    }

    /// The BLAKE3 hash of the whole file, from the hashes of all blocks in order: what `b3sum` prints.
    ///
    /// # Errors
    /// When the number of hashes is not that of the blocks.
    pub fn root(self, blocks: &[BlockHash]) -> Result<BlockHash, HashError> {
        if blocks.len() as u64 != self.count() {
            return Err(HashError {
                found: blocks.len() as u64,
                expected: self.count(),
                size: self.size,
            });
        }
        if let [only] = blocks {
            return Ok(*only);
        }
        let (left, right) = self.halves(blocks);
        Ok(BlockHash(
            *merge_subtrees_root(&left, &right, Mode::Hash).as_bytes(),
        ))
    }

    /// Chaining values of the two subtrees.
    fn halves(self, blocks: &[BlockHash]) -> ([u8; 32], [u8; 32]) {
        let left = left_subtree_len(self.size);
        let (left_blocks, right_blocks) = blocks.split_at((left / HASH_BLOCK as u64) as usize);
        (
            Self::new(left).subtree(left_blocks),
            Self::new(self.size - left).subtree(right_blocks),
        )
    }

    fn subtree(self, blocks: &[BlockHash]) -> [u8; 32] {
        if let [only] = blocks {
            return only.0;
        }
        let (left, right) = self.halves(blocks);
        merge_subtrees_non_root(&left, &right, Mode::Hash)
    }
}

impl BlockHash {
    /// A hash from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockHash({self})")
    }
}

impl FromStr for BlockHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| ParseHashError(text.to_owned()))
    }
}

impl Serialize for BlockHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlockHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn blocks_of(bytes: &[u8]) -> (FileBlocks, Vec<BlockHash>) {
        let file = FileBlocks::new(bytes.len() as u64);
        // the last one first: no block needs another
        let mut hashes: Vec<BlockHash> = (0..file.count())
            .rev()
            .map(|block| {
                let range = file.range(block);
                file.hash(block, &bytes[range.start as usize..range.end as usize])
            })
            .collect();
        hashes.reverse();
        (file, hashes)
    }

    #[test]
    fn the_root_is_the_ordinary_hash() {
        let bytes: Vec<u8> = (0..29 * MIB + 3).map(|i| ((i * i) >> 7) as u8).collect();
        let sizes = [
            0,
            1,
            1023,
            1024,
            1025,
            4 * MIB - 1,
            4 * MIB,
            4 * MIB + 1,
            8 * MIB - 1,
            8 * MIB,
            8 * MIB + 1,
            9 * MIB + 5,
            12 * MIB,
            16 * MIB,
            16 * MIB + 1025,
            20 * MIB,
            29 * MIB + 3,
        ];
        for size in sizes {
            let (file, hashes) = blocks_of(&bytes[..size]);
            let expected = BlockHash(*blake3::hash(&bytes[..size]).as_bytes());
            assert_eq!(file.root(&hashes), Ok(expected), "{size} bytes");
        }
    }

    #[test]
    fn a_changed_byte_changes_its_block_alone() {
        let mut bytes = vec![7; 9 * MIB];
        let (_, before) = blocks_of(&bytes);
        bytes[5 * MIB] ^= 1;
        let (_, after) = blocks_of(&bytes);
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
        assert_eq!(before[2], after[2]);
    }

    #[test]
    fn a_missing_block_is_refused() {
        let file = FileBlocks::new(9 << 20);
        assert_eq!(file.count(), 3);
        assert_eq!(file.range(2), 8 << 20..9 << 20);
        let error = HashError {
            found: 0,
            expected: 3,
            size: 9 << 20,
        };
        assert_eq!(file.root(&[]), Err(error));
    }

    #[test]
    fn hashes_are_written_in_hexadecimal() {
        let hash = FileBlocks::new(0).hash(0, &[]);
        let text = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.parse(), Ok(hash));
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<BlockHash>(&json).unwrap(), hash);
        assert!("af13".parse::<BlockHash>().is_err());
    }
}

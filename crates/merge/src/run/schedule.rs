//! The order of work: whole blocks of the output files, each after the statistics that it needs.
//!
//! Work is cut by what is written, not by tensors: a block is [`HASH_BLOCK`] bytes of an output file, whatever tensors lie there.
//! So a large embedding is many blocks, a hundred small norms are one, each block is one write and one hash, and no worker idles at the
//! end. Statistics of a tensor are measured just before its blocks, with one tensor's lead, so that its data is still
//! in the cache and nobody waits.

use std::ops::Range;

use weightsmith_tensors::{FileBlocks, HASH_BLOCK};

/// Something for a worker to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Measure a block of a tensor in a pass.
    Measure {
        /// Index of the tensor in the plan.
        tensor: usize,
        /// The pass.
        pass: usize,
        /// The reduction block.
        block: u64,
    },
    /// Fill, hash and write a block of a shard.
    Write {
        /// Index of the shard.
        shard: usize,
        /// Index of the block in the shard.
        block: u64,
    },
}

/// A tensor's place in a shard file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Index in the plan.
    pub(super) tensor: usize,
    /// Offset of its first byte in the file.
    pub(super) offset: u64,
    /// Its size.
    pub(super) bytes: u64,
}

/// A shard file as a sequence of blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShardMap {
    /// Size of the file.
    pub(super) bytes: u64,
    /// Its tensors by offset.
    pub(super) tensors: Vec<Placed>,
}

impl ShardMap {
    /// The file as blocks.
    pub(super) fn file(&self) -> FileBlocks {
        FileBlocks::new(self.bytes)
    }

    pub(super) fn blocks(&self) -> u64 {
        self.file().count()
    }

    /// The bytes of the file that a block holds.
    pub(super) fn range(&self, block: u64) -> Range<u64> {
        self.file().range(block)
    }

    /// The tensors that have bytes in a range of the file.
    pub(super) fn overlapping(&self, range: &Range<u64>) -> &[Placed] {
        let first = self
            .tensors
            .partition_point(|placed| placed.offset + placed.bytes <= range.start);
        let last = self
            .tensors
            .partition_point(|placed| placed.offset < range.end);
        &self.tensors[first..last.max(first)]
    }
}

/// How a tensor is measured: its passes, and the number of blocks of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measuring {
    pub(super) passes: usize,
    pub(super) blocks: u64,
}

/// All tasks that are left to do, in order. A task needs only tasks before it.
pub(super) fn schedule(
    shards: &[ShardMap],
    measuring: impl Fn(usize) -> Measuring,
    is_finished: impl Fn(usize, u64) -> bool,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    // blocks of the previous tensor, held back until the next one's statistics are under way
    let mut held: Vec<Task> = Vec::new();
    for (shard, map) in shards.iter().enumerate() {
        let mut next = 0;
        for placed in &map.tensors {
            let own = placed.offset..placed.offset + placed.bytes;
            if blocks_of(&own).any(|block| !is_finished(shard, block)) {
                let Measuring { passes, blocks } = measuring(placed.tensor);
                for pass in 0..passes {
                    tasks.extend((0..blocks).map(|block| Task::Measure {
                        tensor: placed.tensor,
                        pass,
                        block,
                    }));
                }
            }
            tasks.append(&mut held);
            // blocks that end within this tensor need no later one
            let complete = if own.end == map.bytes {
                map.blocks()
            } else {
                own.end / HASH_BLOCK as u64
            };
            held.extend(
                (next..complete.max(next))
                    .filter(|&block| !is_finished(shard, block))
                    .map(|block| Task::Write { shard, block }),
            );
            next = next.max(complete);
        }
        held.extend(
            (next..map.blocks())
                .filter(|&block| !is_finished(shard, block))
                .map(|block| Task::Write { shard, block }),
        );
    }
    tasks.append(&mut held);
    tasks
}

fn blocks_of(bytes: &Range<u64>) -> Range<u64> {
    let block = HASH_BLOCK as u64;
    if bytes.is_empty() {
        0..0
    } else {
        bytes.start / block..bytes.end.div_ceil(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = HASH_BLOCK as u64;

    fn placed(tensor: usize, offset: u64, bytes: u64) -> Placed {
        Placed {
            tensor,
            offset,
            bytes,
        }
    }

    /// A header of 100 bytes, a tensor of 2.5 blocks, one of 10 bytes, one of 1 block.
    fn map() -> ShardMap {
        let large = 2 * BLOCK + BLOCK / 2;
        ShardMap {
            bytes: 100 + large + 10 + BLOCK,
            tensors: vec![
                placed(0, 100, large),
                placed(1, 100 + large, 10),
                placed(2, 110 + large, BLOCK),
            ],
        }
    }

    fn write(block: u64) -> Task {
        Task::Write { shard: 0, block }
    }

    #[test]
    fn every_block_comes_once_and_after_the_statistics_of_its_tensors() {
        let tasks = schedule(
            &[map()],
            |_| Measuring {
                passes: 1,
                blocks: 2,
            },
            |_, _| false,
        );
        let position = |task: Task| tasks.iter().position(|&t| t == task).unwrap();
        assert_eq!(tasks.len(), 3 * 2 + 4);
        for (block, tensors) in [(0, vec![0]), (1, vec![0]), (2, vec![0, 1, 2]), (3, vec![2])] {
            for tensor in tensors {
                assert!(
                    position(write(block))
                        > position(Task::Measure {
                            tensor,
                            pass: 0,
                            block: 1
                        })
                );
            }
        }
    }

    #[test]
    fn finished_blocks_and_statistics_that_only_they_need_are_left_out() {
        let tasks = schedule(
            &[map()],
            |_| Measuring {
                passes: 1,
                blocks: 1,
            },
            |_, block| block != 3,
        );
        assert_eq!(
            tasks,
            [
                Task::Measure {
                    tensor: 2,
                    pass: 0,
                    block: 0
                },
                write(3)
            ]
        );
    }

    #[test]
    fn a_file_of_a_header_alone_is_one_block() {
        let map = ShardMap {
            bytes: 16,
            tensors: vec![placed(0, 16, 0)],
        };
        assert_eq!(
            schedule(
                &[map],
                |_| Measuring {
                    passes: 0,
                    blocks: 0
                },
                |_, _| false
            ),
            [write(0)]
        );
    }

    #[test]
    fn overlapping_tensors_are_found_at_both_edges_of_a_block() {
        let map = map();
        assert_eq!(map.overlapping(&map.range(2)).len(), 3);
        assert_eq!(map.overlapping(&map.range(3)), &map.tensors[2..]);
        assert_eq!(map.overlapping(&(0..100)), &[]);
    }
}

//! The order of work: whole blocks of the output files, each after the statistics that it needs.
//!
//! Work is cut by what is written, not by tensors: a block is [`HASH_BLOCK`] bytes of an output file, whatever tensors lie there.
//! So a large embedding is many blocks, a hundred small norms are one, each block is one write and one hash, and no worker idles at the
//! end. Statistics of a tensor are measured shortly before its blocks: between two passes over a tensor there is work on its
//! neighbours, so that who ends a pass need not wait for the workers that have blocks of it in hand.

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

/// Tasks in order. Those that differ in their block alone are kept as one: a large merge has millions.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    runs: Vec<Run>,
    len: usize,
}

/// Tasks for consecutive blocks.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Number of tasks before it.
    start: usize,
    first: Task,
}

impl Schedule {
    pub(super) fn get(&self, index: usize) -> Option<Task> {
        if index >= self.len {
            return None;
        }
        let run = self.runs.partition_point(|run| run.start <= index) - 1;
        let Run { start, first } = self.runs[run];
        Some(first.moved((index - start) as u64))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Task> + '_ {
        (0..self.len).filter_map(|index| self.get(index))
    }

    fn push(&mut self, task: Task) {
        let follows = self
            .runs
            .last()
            .is_some_and(|run| run.first.moved((self.len - run.start) as u64) == task);
        if !follows {
            let start = self.len;
            self.runs.push(Run { start, first: task });
        }
        self.len += 1;
    }
}

impl FromIterator<Task> for Schedule {
    fn from_iter<I: IntoIterator<Item = Task>>(tasks: I) -> Self {
        let mut schedule = Self::default();
        tasks.into_iter().for_each(|task| schedule.push(task));
        schedule
    }
}

impl Task {
    /// The same, that many blocks later.
    fn moved(self, blocks: u64) -> Self {
        match self {
            Self::Measure {
                tensor,
                pass,
                block,
            } => Self::Measure {
                tensor,
                pass,
                block: block + blocks,
            },
            Self::Write { shard, block } => Self::Write {
                shard,
                block: block + blocks,
            },
        }
    }
}

/// Passes of a tensor that have other tensors' work between them. More are rarely needed, and would only move what is done
/// with a tensor further apart.
pub(super) const SPREAD: usize = 3;

/// All tasks that are left to do, in order. A task needs only tasks before it.
pub(super) fn schedule(
    shards: &[ShardMap],
    measuring: impl Fn(usize) -> Measuring,
    is_finished: impl Fn(usize, u64) -> bool,
) -> Schedule {
    let portions = portions(shards, measuring, &is_finished);
    let passes = portions.iter().map(|portion| portion.measuring.passes);
    let lead = passes.max().unwrap_or(0).min(SPREAD);
    let mut tasks = Schedule::default();
    for latest in 0..portions.len() + lead {
        // the first pass of the latest tensor, the second of the one before it, and so on
        for (stage, back) in (0..=lead).zip((0..=latest).rev()) {
            let Some(portion) = portions.get(back) else {
                continue;
            };
            let passes = portion.measuring.passes;
            if stage < lead {
                portion.measure(stage..passes.min(stage + 1), &mut tasks);
            } else {
                portion.measure(stage..passes, &mut tasks);
                portion.write(&is_finished, &mut tasks);
            }
        }
    }
    tasks
}

/// A tensor, and the blocks of the file that can be written once it is measured.
struct Portion {
    tensor: usize,
    /// Nothing where all its blocks are finished.
    measuring: Measuring,
    shard: usize,
    blocks: Range<u64>,
}

impl Portion {
    fn measure(&self, passes: Range<usize>, tasks: &mut Schedule) {
        for pass in passes {
            for block in 0..self.measuring.blocks {
                tasks.push(Task::Measure {
                    tensor: self.tensor,
                    pass,
                    block,
                });
            }
        }
    }

    fn write(&self, is_finished: impl Fn(usize, u64) -> bool, tasks: &mut Schedule) {
        let shard = self.shard;
        for block in self.blocks.clone() {
            if !is_finished(shard, block) {
                tasks.push(Task::Write { shard, block });
            }
        }
    }
}

/// The tensors in the order of the files; a block belongs to the last tensor that has bytes in it.
fn portions(
    shards: &[ShardMap],
    measuring: impl Fn(usize) -> Measuring,
    is_finished: impl Fn(usize, u64) -> bool,
) -> Vec<Portion> {
    const NOTHING: Measuring = Measuring {
        passes: 0,
        blocks: 0,
    };
    let mut portions = Vec::new();
    for (shard, map) in shards.iter().enumerate() {
        let mut next = 0;
        for placed in &map.tensors {
            let own = placed.offset..placed.offset + placed.bytes;
            let is_needed = blocks_of(&own).any(|block| !is_finished(shard, block));
            let complete = next.max(own.end / HASH_BLOCK as u64);
            portions.push(Portion {
                tensor: placed.tensor,
                measuring: if is_needed {
                    measuring(placed.tensor)
                } else {
                    NOTHING
                },
                shard,
                blocks: next..complete,
            });
            next = complete;
        }
        portions.push(Portion {
            tensor: 0,
            measuring: NOTHING,
            shard,
            blocks: next..map.blocks(),
        });
    }
    portions
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
        let position = |task: Task| tasks.iter().position(|t| t == task).unwrap();
        assert_eq!(tasks.iter().count(), 3 * 2 + 4);
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
        let measure = Task::Measure {
            tensor: 2,
            pass: 0,
            block: 0,
        };
        assert_eq!(tasks.iter().collect::<Vec<_>>(), [measure, write(3)]);
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
            )
            .iter()
            .collect::<Vec<_>>(),
            [write(0)]
        );
    }

    #[test]
    fn passes_of_neighbours_alternate_and_every_task_comes_after_what_it_needs() {
        let measuring = |tensor| Measuring {
            passes: [5, 0, 2][tensor],
            blocks: 2,
        };
        let tasks: Vec<Task> = schedule(&[map()], measuring, |_, _| false).iter().collect();
        assert_eq!(tasks.len(), 2 * (5 + 2) + 4);
        let position = |task: Task| tasks.iter().position(|&t| t == task).unwrap();
        let measure = |tensor, pass, block| Task::Measure {
            tensor,
            pass,
            block,
        };
        for (tensor, passes) in [(0, 5), (2, 2)] {
            for pass in 1..passes {
                assert!(
                    position(measure(tensor, pass, 0)) > position(measure(tensor, pass - 1, 1))
                );
            }
        }
        assert!(position(write(0)) > position(measure(0, 4, 1)));
        assert!(position(write(2)) > position(measure(2, 1, 1)));
        assert!(position(measure(2, 0, 0)) < position(measure(0, 3, 0)));
        assert!((1..4).all(|block| position(write(block)) > position(write(block - 1))));
    }

    #[test]
    fn overlapping_tensors_are_found_at_both_edges_of_a_block() {
        let map = map();
        assert_eq!(map.overlapping(&map.range(2)).len(), 3);
        assert_eq!(map.overlapping(&map.range(3)), &map.tensors[2..]);
        assert_eq!(map.overlapping(&(0..100)), &[]);
    }
}

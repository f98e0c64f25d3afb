//! Reads files once, on all cores: their hashes, and what their tensors hold.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use weightsmith_tensors::{
    BlockHash, Checkpoint, FileBlocks, HASH_BLOCK, TensorSource, open_regular,
};

use super::finding::{Finding, Problem};
use super::non_finite::{FileTensors, OVERHANG};
use crate::output::LockedFile;
use crate::run::Reporter;

/// What reading all files gave.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) bytes: u64,
    /// Tensors with NaN or infinite elements, and how many.
    pub(super) non_finite: Vec<(String, u64)>,
    pub(super) findings: Vec<Finding>,
}

/// A file that is read.
struct Target<'a> {
    file: &'a LockedFile,
    path: PathBuf,
    blocks: FileBlocks,
    tensors: FileTensors,
}

/// What the blocks of the files gave so far.
#[derive(Default)]
struct Results {
    bytes: u64,
    /// By file, then by block.
    hashes: Vec<BTreeMap<u64, BlockHash>>,
    errors: BTreeMap<usize, String>,
    /// By tensor of the checkpoint.
    non_finite: BTreeMap<usize, u64>,
}

/// Hashes the files, which are there with the sizes that the lock states, and counts NaN and infinite elements.
pub(super) fn scan(
    out: &Path,
    files: &[&LockedFile],
    checkpoint: Option<&Checkpoint>,
    reporter: &dyn Reporter,
) -> Scan {
    let targets: Vec<Target<'_>> = files
        .iter()
        .map(|file| Target {
            file,
            path: out.join(&file.name),
            blocks: FileBlocks::new(file.bytes),
            tensors: FileTensors::of(checkpoint, &file.name),
        })
        .collect();
    let tasks: Vec<(usize, u64)> = targets
        .iter()
        .enumerate()
        .flat_map(|(index, target)| (0..target.blocks.count()).map(move |block| (index, block)))
        .collect();
    let results = Mutex::new(Results {
        hashes: vec![BTreeMap::new(); targets.len()],
        ..Results::default()
    });
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(tasks.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&targets, &tasks, &next, &results, reporter));
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let names = checkpoint.map_or(&[][..], |checkpoint| checkpoint.tensors());
    Scan {
        bytes: results.bytes,
        non_finite: results
            .non_finite
            .iter()
            .map(|(&tensor, &count)| (names[tensor].name.clone(), count))
            .collect(),
        findings: targets
            .iter()
            .enumerate()
            .filter_map(|(index, target)| judge(index, target, &results))
            .collect(),
    }
}

/// Takes blocks until none is left.
fn work(
    targets: &[Target<'_>],
    tasks: &[(usize, u64)],
    next: &AtomicUsize,
    results: &Mutex<Results>,
    reporter: &dyn Reporter,
) {
    let mut buffer = Vec::new();
    while let Some(&(index, block)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
        let target = &targets[index];
        let range = target.blocks.range(block);
        let length = range.end - range.start;
        let read = read(&target.path, &range, target.file.bytes, &mut buffer).map(|()| {
            let hash = target.blocks.hash(block, &buffer[..length as usize]);
            (hash, target.tensors.count(&range, &buffer))
        });
        reporter.written(length);
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok((hash, counts)) => {
                results.bytes += length;
                results.hashes[index].insert(block, hash);
                for (tensor, count) in counts {
                    *results.non_finite.entry(tensor).or_default() += count;
                }
            }
            Err(error) => {
                results
                    .errors
                    .entry(index)
                    .or_insert_with(|| error.to_string());
            }
        }
    }
}

/// Reads a block and what elements at its end may need of the next.
fn read(path: &Path, block: &Range<u64>, size: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let end = size.min(block.end + OVERHANG);
    buffer.resize((end - block.start) as usize, 0);
    debug_assert!(buffer.len() <= HASH_BLOCK + OVERHANG as usize);
    let mut file = open_regular(path)?;
    file.seek(SeekFrom::Start(block.start))?;
    file.read_exact(buffer)
}

fn judge(index: usize, target: &Target<'_>, results: &Results) -> Option<Finding> {
    let finding = |problem| Some(Finding::of_file(&target.file.name, problem));
    if let Some(error) = results.errors.get(&index) {
        return finding(Problem::Unreadable {
            error: error.clone(),
        });
    }
    let blocks: Vec<BlockHash> = results.hashes[index].values().copied().collect();
    match target.blocks.root(&blocks) {
        Ok(root) if root.to_string().eq_ignore_ascii_case(&target.file.blake3) => None,
        Ok(root) => finding(Problem::Content {
            found: root.to_string(),
            expected: target.file.blake3.clone(),
        }),
        Err(error) => finding(Problem::Unreadable {
            error: error.to_string(),
        }),
    }
}

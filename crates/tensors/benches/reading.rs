//! How inputs are best read: through a memory map or with large positioned reads, by one thread and by two.
//!
//! Measured on a file that is in the page cache, which is what a merge of a model that was just downloaded meets.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fs_err::File;

const SIZE: usize = 512 << 20;
const CHUNK: usize = 4 << 20;

fn sum(bytes: &[u8]) -> u64 {
    bytes
        .chunks_exact(8)
        .map(|word| {
            u64::from_le_bytes([
                word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7],
            ])
        })
        .fold(0, u64::wrapping_add)
}

/// Lets `threads` threads do all chunks.
fn by_chunks(threads: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(chunk) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < SIZE / CHUNK)
                {
                    work(chunk);
                }
            });
        }
    });
}

#[expect(unsafe_code, reason = "maps the file that this benchmark wrote")]
fn map(file: &File) -> memmap2::Mmap {
    // SAFETY: nobody else knows the temporary file, so nobody changes it.
    unsafe { memmap2::Mmap::map(file.file()) }.expect("a regular file can be mapped")
}

fn reading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weights");
    let mut file = File::create(&path).expect("a new file");
    for _ in 0..SIZE / CHUNK {
        file.write_all(&vec![1; CHUNK]).expect("room for the file");
    }
    let file = File::open(&path).expect("the file just written");
    let mut group = criterion.benchmark_group("read 512 MiB");
    group
        .throughput(Throughput::Bytes(SIZE as u64))
        .sample_size(10);
    for threads in [1, 2] {
        group.bench_function(format!("map, {threads} threads"), |bencher| {
            bencher.iter(|| {
                let map = map(&file);
                by_chunks(threads, |chunk| {
                    black_box(sum(&map[chunk * CHUNK..][..CHUNK]));
                });
            });
        });
        #[cfg(unix)]
        group.bench_function(format!("pread, {threads} threads"), |bencher| {
            use std::os::unix::fs::FileExt as _;
            bencher.iter(|| {
                by_chunks(threads, |chunk| {
                    let mut buffer = vec![0; CHUNK];
                    file.file()
                        .read_exact_at(&mut buffer, (chunk * CHUNK) as u64)
                        .expect("the file holds it");
                    black_box(sum(&buffer));
                });
            });
        });
    }
}

criterion_group!(benches, reading);
criterion_main!(benches);

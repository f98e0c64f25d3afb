//! AMX: products of whole tiles of bfloat16, 16 rows of weights by 16 inputs by 32 columns in one instruction.
//!
//! The unit multiplies bfloat16 exactly and adds in f32. An input of f32 is the sum of three numbers of bfloat16, so three
//! products of the weights as they are stored give what a multiplication by the whole f32 would, at a multiple of the
//! speed of vector instructions; numbers below 2⁻¹²⁶ count as zero. The weights are read in place; inputs are packed once for all rows.

use std::arch::asm;
use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
use std::array;
use std::cell::RefCell;
use std::ops::Range;
use std::slice;
use std::sync::OnceLock;

use super::avx512::transpose;
use super::columns::Columns;
use super::dense::{DenseProduct, SPAN, share};
use crate::pool::Pool;

/// Rows and inputs of a tile.
const TILE: usize = 16;

/// Columns of a tile.
const COLUMNS: usize = 32;

/// Numbers of bfloat16 that an f32 is the sum of.
const PARTS: usize = 3;

/// Rows of a unit of the loop for a few inputs.
const UNIT: usize = 2 * TILE;

/// Rows of a part for many inputs, and its inputs.
const ROWS: usize = 4 * TILE;
const INPUTS: usize = 8 * TILE;

/// A line of the cache: a row of a full tile.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; TILE]);

thread_local! {
    /// Packed inputs of the product that this thread asked for.
    static PACKED: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// The tile unit. A value of this type proves that the CPU has it, with AVX-512, and that the system lets this process use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::linear) struct Amx(());

impl Amx {
    /// The unit, if there is one.
    pub(super) fn detected() -> Option<Self> {
        static FOUND: OnceLock<bool> = OnceLock::new();
        FOUND
            .get_or_init(|| has_bf16_tiles() && permitted())
            .then_some(Self(()))
    }

    /// Writes the product; `product` is of bfloat16 and [fits].
    pub(super) fn write(self, product: &DenseProduct<'_>, pool: &Pool, out: &mut [f32]) {
        let count = product.inputs.len() / product.cols;
        let rows = out.len() / count;
        let columns = Columns::new(out, rows);
        // taken, as a part that is run by this thread may not borrow it again
        let mut lines = PACKED.take();
        let packed = Packed::new(&mut lines, pool, product.inputs, product.cols);
        let job = Job {
            unit: self,
            product,
            packed: &packed,
            out: columns,
            rows,
        };
        if count <= TILE {
            let units = rows.div_ceil(UNIT);
            let each = share(units, UNIT * product.cols * 2, pool.threads());
            pool.run(units.div_ceil(each), &|part| {
                let first = |part: usize| part * each * UNIT;
                job.few(
                    first(part)..rows.min(first(part + 1)),
                    first(part + pool.threads()),
                );
            });
        } else {
            let across = rows.div_ceil(ROWS);
            let blocks = packed.blocks();
            let each = INPUTS / TILE;
            pool.run(across * blocks.div_ceil(each), &|part| {
                let (row, block) = (part % across * ROWS, part / across * each);
                job.many(row..rows.min(row + ROWS), block..blocks.min(block + each));
            });
        }
        PACKED.set(lines);
    }
}

/// Whether a matrix of so many rows and columns is multiplied in tiles.
pub(super) fn fits(rows: usize, cols: usize) -> bool {
    rows >= TILE && cols.is_multiple_of(COLUMNS)
}

/// Whether the CPU has tiles of bfloat16, and the vector instructions that go with them here.
fn has_bf16_tiles() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILES: u32 = 1 << 24;
    if !is_x86_feature_detected!("avx512f") || __cpuid(0).eax < 7 {
        return false;
    }
    __cpuid_count(7, 0).edx & (BF16 | TILES) == BF16 | TILES
}

/// Asks the system for the registers, which threads do not have from the start.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: the call changes nothing but the permission.
    unsafe {
        libc::syscall(
            libc::SYS_arch_prctl,
            ARCH_REQ_XCOMP_PERM,
            XFEATURE_XTILEDATA,
        ) == 0
    }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Shapes {
    /// Tiles 0 to 3 hold sums of `width` inputs, 4 and 5 weights, 6 and 7 inputs.
    fn new(width: usize) -> Self {
        let of_inputs = (4 * width) as u16;
        let mut shapes = Self {
            palette: 1,
            start: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        for tile in 0..8 {
            shapes.row_bytes[tile] = if matches!(tile, 4 | 5) { 64 } else { of_inputs };
            shapes.rows[tile] = TILE as u8;
        }
        shapes
    }
}

/// The tile registers of a thread, in use.
struct Tiles(());

impl Tiles {
    fn new(_unit: Amx, width: usize) -> Self {
        let shapes = Shapes::new(width);
        // SAFETY: the unit is there; the shapes are valid ones.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(nostack, readonly, preserves_flags));
        };
        Self(())
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: whoever made this has the unit.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }
}

/// Inputs in tiles: for every [`TILE`] inputs, every [`COLUMNS`] columns and each of the [`PARTS`], 16 rows of pairs of columns.
struct Packed<'a> {
    lines: &'a [Line],
    cols: usize,
    count: usize,
    /// Inputs of a tile: fewer than [`TILE`] only if that is all.
    width: usize,
}

impl<'a> Packed<'a> {
    fn new(lines: &'a mut Vec<Line>, pool: &Pool, inputs: &[f32], cols: usize) -> Self {
        let count = inputs.len() / cols;
        let width = count.min(TILE);
        let mut packed = Self {
            lines: &[],
            cols,
            count,
            width,
        };
        let each = packed.block_lines();
        let length = packed.blocks() * each;
        if lines.len() < length {
            lines.resize(length, Line([0; TILE]));
        }
        let lines = &mut lines[..length];
        crate::parallel::for_chunks(pool, lines, each, |block, lines| {
            let end = inputs.len().min((block + 1) * TILE * cols);
            pack(
                &inputs[(block * TILE * cols).min(end)..end],
                cols,
                width,
                lines,
            );
        });
        packed.lines = lines;
        packed
    }

    /// Tiles of inputs; an even number of them, if there are several.
    fn blocks(&self) -> usize {
        if self.count <= TILE {
            1
        } else {
            self.count.div_ceil(2 * TILE) * 2
        }
    }

    /// Bytes of a part of a tile.
    fn part_bytes(&self) -> usize {
        TILE * 4 * self.width
    }

    fn block_lines(&self) -> usize {
        (self.cols / COLUMNS * PARTS * self.part_bytes()).div_ceil(64)
    }

    /// Where the tiles of a block begin, from a column on.
    fn at(&self, block: usize, column: usize) -> *const u8 {
        let lines = &self.lines[block * self.block_lines()..][..self.block_lines()];
        let offset = column / COLUMNS * PARTS * self.part_bytes();
        assert!(offset < size_of_val(lines));
        lines.as_ptr().cast::<u8>().wrapping_add(offset)
    }
}

/// Packs up to [`TILE`] inputs; those that are missing are zeros.
fn pack(inputs: &[f32], cols: usize, width: usize, lines: &mut [Line]) {
    if width == TILE {
        for column in (0..cols).step_by(COLUMNS) {
            let mut parts = [[[0; TILE]; TILE]; PARTS];
            for (index, input) in inputs.chunks_exact(cols).enumerate() {
                let pairs = split(&input[column..column + COLUMNS]);
                for (part, pairs) in parts.iter_mut().zip(pairs) {
                    part[index] = pairs;
                }
            }
            let lines = &mut lines[column / COLUMNS * PARTS * TILE..][..PARTS * TILE];
            for (lines, part) in lines.chunks_exact_mut(TILE).zip(&mut parts) {
                // SAFETY: `detected` found AVX-512.
                unsafe { transpose(part.as_mut_ptr().cast()) };
                for (line, row) in lines.iter_mut().zip(part) {
                    line.0 = *row;
                }
            }
        }
    } else {
        let length = lines.len() * TILE;
        // SAFETY: lines are nothing but such numbers.
        let pairs = unsafe { slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<u32>(), length) };
        for (index, input) in inputs.chunks_exact(cols).enumerate() {
            for (tile, columns) in input.chunks_exact(COLUMNS).enumerate() {
                for (part, values) in split(columns).into_iter().enumerate() {
                    let tile = &mut pairs[(tile * PARTS + part) * TILE * width..][..TILE * width];
                    for (row, value) in values.into_iter().enumerate() {
                        tile[row * width + index] = value;
                    }
                }
            }
        }
    }
}

/// Pairs of columns, as the sum of three numbers of bfloat16 each.
#[inline]
fn split(columns: &[f32]) -> [[u32; TILE]; PARTS] {
    let columns: &[f32; COLUMNS] = columns.try_into().expect("the columns of a tile");
    let mut rest = *columns;
    array::from_fn(|_| {
        let mut bits = [0_u16; COLUMNS];
        for (bits, rest) in bits.iter_mut().zip(&mut rest) {
            let part = rest.to_bits() & 0xffff_0000;
            *bits = (part >> 16) as u16;
            *rest -= f32::from_bits(part);
        }
        array::from_fn(|pair| u32::from(bits[2 * pair]) | u32::from(bits[2 * pair + 1]) << 16)
    })
}

/// What the threads share of a product.
struct Job<'a> {
    unit: Amx,
    product: &'a DenseProduct<'a>,
    packed: &'a Packed<'a>,
    out: Columns<'a>,
    rows: usize,
}

/// Sums of up to four tiles, row by row of [`TILE`].
#[repr(C, align(64))]
struct Sums([[f32; TILE * TILE]; 4]);

impl Job<'_> {
    /// Some rows by the few inputs that there are: the weights come from memory, once.
    ///
    /// Memory is fastest when it is read as one stream, and tiles are not: so while a block of [`UNIT`] rows and [`SPAN`]
    /// columns is multiplied, the next one is fetched into the second-level cache, row by row; after the last one, the block
    /// at `then`, where this thread probably goes on.
    fn few(&self, rows: Range<usize>, then: usize) {
        let tiles = Tiles::new(self.unit, self.packed.width);
        let mut sums = Sums([[0.0; TILE * TILE]; 4]);
        let cols = self.product.cols;
        Fetch::new(self, rows.start, 0).rest();
        for row in rows.clone().step_by(UNIT) {
            for start in (0..cols).step_by(SPAN) {
                let steps = SPAN.min(cols - start) / COLUMNS;
                let mut next = match (start + SPAN < cols, row + UNIT < rows.end) {
                    (true, _) => Fetch::new(self, row, start + SPAN),
                    (false, true) => Fetch::new(self, row + UNIT, 0),
                    (false, false) => Fetch::new(self, then, 0),
                };
                // SAFETY: `weights` and `at` give tiles that go on for so many steps.
                unsafe {
                    few(
                        [0, 1].map(|tile| self.weights(row + tile * TILE, start)),
                        cols * 2,
                        (self.packed.at(0, start), self.packed.width),
                        steps,
                        &mut next,
                        &mut sums,
                    );
                }
                next.rest();
                for (tile, sums) in sums.0.iter_mut().take(2).enumerate() {
                    self.store(row + tile * TILE, &rows, 0, start, sums);
                }
            }
        }
        drop(tiles);
    }

    /// Some rows by some blocks of inputs, an even number of them.
    fn many(&self, rows: Range<usize>, blocks: Range<usize>) {
        let tiles = Tiles::new(self.unit, TILE);
        let mut sums = Sums([[0.0; TILE * TILE]; 4]);
        let cols = self.product.cols;
        for start in (0..cols).step_by(SPAN) {
            let length = SPAN.min(cols - start);
            for block in blocks.clone().step_by(2) {
                for row in rows.clone().step_by(2 * TILE) {
                    // SAFETY: as above.
                    unsafe {
                        many(
                            [0, 1].map(|tile| self.weights(row + tile * TILE, start)),
                            cols * 2,
                            [0, 1].map(|tile| self.packed.at(block + tile, start)),
                            length / COLUMNS,
                            &mut sums,
                        );
                    }
                    for (index, sums) in sums.0.iter_mut().enumerate() {
                        self.store(
                            row + index / 2 * TILE,
                            &rows,
                            (block + index % 2) * TILE,
                            start,
                            sums,
                        );
                    }
                }
            }
        }
        drop(tiles);
    }

    /// The first of the rows that are read for the tile from `row` on: the last tile begins where it ends with the last row.
    fn first(&self, row: usize) -> usize {
        row.min(self.rows - TILE)
    }

    /// Where the tile of weights from `row` on begins.
    fn weights(&self, row: usize, column: usize) -> *const u8 {
        let at = (self.first(row) * self.product.cols + column) * 2;
        debug_assert!(at < self.product.weights.len());
        self.product.weights.as_ptr().wrapping_add(at)
    }

    /// Adds the sums of a tile to the outputs; `rows` are those of the part.
    fn store(
        &self,
        row: usize,
        rows: &Range<usize>,
        input: usize,
        start: usize,
        sums: &mut [f32; TILE * TILE],
    ) {
        if row >= rows.end || input >= self.packed.count {
            return;
        }
        let length = TILE.min(rows.end - row);
        let skip = row - self.first(row);
        let write = |index: usize, sums: &[f32]| {
            // SAFETY: the places of these rows and inputs are of this part alone.
            let out = unsafe { self.out.of(input + index, row, length) };
            for (out, sum) in out.iter_mut().zip(&sums[skip..]) {
                *out = if start == 0 { *sum } else { *out + *sum };
            }
        };
        let width = TILE.min(self.packed.count - input);
        if width <= 2 {
            for index in 0..width {
                let column: [f32; TILE] = array::from_fn(|row| sums[row * TILE + index]);
                write(index, &column);
            }
        } else {
            // SAFETY: `detected` found AVX-512.
            unsafe { transpose(sums.as_mut_ptr().cast()) };
            for (index, sums) in sums.chunks_exact(TILE).take(width).enumerate() {
                write(index, sums);
            }
        }
    }
}

/// A block of weights to be fetched, a part of it with each step of the multiplication of another.
struct Fetch {
    next: *const u8,
    /// Fours of lines of a part.
    fours: usize,
    /// From the end of a part to the next.
    skip: usize,
    /// Parts that are left.
    parts: usize,
}

impl Fetch {
    /// The block from `row` and `column` on; nothing where there are no such rows.
    fn new(job: &Job<'_>, row: usize, column: usize) -> Self {
        let cols = job.product.cols;
        let steps = SPAN.min(cols - column) / COLUMNS;
        let whole = cols <= SPAN;
        Self {
            next: job.weights(row, column),
            // rows that lie behind one another are as many parts as the block has steps
            fours: if whole { UNIT / 4 } else { steps.div_ceil(4) },
            skip: if whole {
                0
            } else {
                (cols * 2).saturating_sub(steps.next_multiple_of(4) * 64)
            },
            parts: match row < job.rows {
                true if whole => steps,
                true => UNIT,
                false => 0,
            },
        }
    }

    /// Asks for what is left.
    fn rest(mut self) {
        for _ in 0..self.parts {
            for line in 0..4 * self.fours {
                // SAFETY: an instruction that all CPUs with tiles have, and that no address can upset.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(self.next.wrapping_add(64 * line).cast()) };
            }
            self.next = self.next.wrapping_add(256 * self.fours + self.skip);
        }
    }
}

/// Two tiles of rows by one of inputs, over `steps` tiles of columns, with each of which a part of `fetch` is asked for.
///
/// # Safety
/// A [`Tiles`] of the inputs' width is alive. Weights (whose rows are `stride` bytes apart) and packed inputs go on for so many
/// tiles.
unsafe fn few(
    [a, b]: [*const u8; 2],
    stride: usize,
    (inputs, width): (*const u8, usize),
    steps: usize,
    fetch: &mut Fetch,
    sums: &mut Sums,
) {
    let fetched = steps.min(fetch.parts);
    let (mut next, fours) = (fetch.next, if fetch.parts == 0 { 0 } else { fetch.fours });
    // SAFETY: the caller's promise; sums of 16 rows of 64 bytes are stored.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1",
            "2:",
            "tileloadd tmm4, [{a} + {stride}*1]",
            "tileloadd tmm6, [{inputs} + {narrow}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{b} + {stride}*1]",
            "tdpbf16ps tmm1, tmm5, tmm6",
            "add {inputs}, {part}",
            "tileloadd tmm7, [{inputs} + {narrow}*1]",
            "tdpbf16ps tmm0, tmm4, tmm7",
            "tdpbf16ps tmm1, tmm5, tmm7",
            "add {inputs}, {part}",
            "tileloadd tmm6, [{inputs} + {narrow}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm5, tmm6",
            "add {inputs}, {part}",
            "add {a}, 64", "add {b}, 64",
            "mov {left}, {fours}",
            "test {left}, {left}",
            "jz 4f",
            "3:",
            "prefetcht1 [{next}]",
            "prefetcht1 [{next} + 64]",
            "prefetcht1 [{next} + 128]",
            "prefetcht1 [{next} + 192]",
            "add {next}, 256",
            "dec {left}",
            "jnz 3b",
            "add {next}, {skip}",
            "4:",
            "dec {steps}",
            "jnz 2b",
            "mov {left}, 64",
            "tilestored [{sums} + {left}*1], tmm0",
            "tilestored [{sums} + {left}*1 + 1024], tmm1",
            a = inout(reg) a => _, b = inout(reg) b => _, stride = in(reg) stride,
            inputs = inout(reg) inputs => _, narrow = in(reg) 4 * width, part = in(reg) 4 * width * TILE,
            next = inout(reg) next, fours = in(reg) fours, skip = in(reg) fetch.skip, left = out(reg) _,
            steps = inout(reg) steps => _, sums = in(reg) &raw mut *sums,
            options(nostack),
        );
    }
    fetch.next = next;
    fetch.parts -= fetched;
}

/// Two tiles of rows by two of inputs, over `steps` tiles of columns.
///
/// # Safety
/// A [`Tiles`] of full width is alive. Weights (whose rows are `stride` bytes apart) and packed inputs go on for so many tiles.
unsafe fn many(
    weights: [*const u8; 2],
    stride: usize,
    inputs: [*const u8; 2],
    steps: usize,
    sums: &mut Sums,
) {
    let ([a, b], [x, y]) = (weights, inputs);
    // SAFETY: as in `few`.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{a} + {stride}*1]",
            "tileloadd tmm6, [{x} + {line}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{y} + {line}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{b} + {stride}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm6, [{x} + {line}*1 + 1024]",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{y} + {line}*1 + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm6, [{x} + {line}*1 + 2048]",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{y} + {line}*1 + 2048]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 64", "add {b}, 64", "add {x}, 3072", "add {y}, 3072",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {line}*1], tmm0",
            "tilestored [{sums} + {line}*1 + 1024], tmm1",
            "tilestored [{sums} + {line}*1 + 2048], tmm2",
            "tilestored [{sums} + {line}*1 + 3072], tmm3",
            a = inout(reg) a => _, b = inout(reg) b => _, x = inout(reg) x => _, y = inout(reg) y => _,
            stride = in(reg) stride, line = in(reg) 64_usize, steps = inout(reg) steps => _, sums = in(reg) &raw mut *sums,
            options(nostack),
        );
    }
}

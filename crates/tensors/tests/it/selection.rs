//! Selection by magnitude against a full sort, on every instruction set, in any order and split.

use proptest::prelude::*;
use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{
    Cut, Isa, Key, Magnitude, Search, TILE, keep, keep_between_on, keep_on,
};

use crate::random::Random;

/// The indices in the order of selection.
fn order<T: Real>(values: &[T]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(values[index as usize].key()), index));
    order
}

/// Which elements are among the first k.
fn mask(order: &[u32], k: u64) -> Vec<bool> {
    let mut mask = vec![false; order.len()];
    for &index in order.iter().take(k as usize) {
        mask[index as usize] = true;
    }
    mask
}

/// What is to be counted, asked for block by block.
fn parts_by_blocks<T: Real>(search: &Search<T>, elements: u64) -> Vec<std::ops::Range<u64>> {
    let block = 5 * TILE as u64;
    (0..elements.div_ceil(block))
        .flat_map(|i| search.parts(i * block..elements.min((i + 1) * block)))
        .collect()
}

/// Drives a search as `workers` workers would that take pieces in a shuffled order. Gives the number of passes as well.
fn search<T: Real>(
    isa: Isa,
    values: &[T],
    mut search: Search<T>,
    workers: usize,
    seed: u64,
) -> (Search<T>, usize) {
    let mut random = Random(seed);
    let mut passes = 0;
    while search.pieces() > 0 {
        let mut pieces: Vec<u64> = (0..search.pieces()).collect();
        for last in (1..pieces.len()).rev() {
            pieces.swap(last, random.bits() as usize % (last + 1));
        }
        let parts = parts_by_blocks(&search, values.len() as u64);
        let in_pieces: u64 = (0..search.pieces())
            .map(|p| search.piece(p))
            .map(|r| r.end - r.start)
            .sum();
        assert_eq!(
            parts.iter().map(|part| part.end - part.start).sum::<u64>(),
            in_pieces
        );
        let mut tallies = vec![search.tally(); workers];
        for piece in pieces {
            let range = search.piece(piece);
            let values = &values[range.start as usize..range.end as usize];
            assert!(values.len() <= TILE && range.start as usize % TILE + values.len() <= TILE);
            let tally = &mut tallies[random.bits() as usize % workers];
            search.count_on(isa, range.start, values, tally);
        }
        let mut merged = tallies.swap_remove(random.bits() as usize % workers);
        for tally in tallies {
            merged.merge(tally);
        }
        search.advance(merged);
        passes += 1;
        assert!(passes < Search::<T>::MOST_PASSES, "a search ends");
    }
    (search, passes)
}

fn kept<T: Real>(values: &[T], apply: impl Fn(u64, &mut [T])) -> Vec<T> {
    let mut kept = values.to_vec();
    for (tile, values) in kept.chunks_mut(TILE).enumerate() {
        apply(tile as u64, values);
    }
    kept
}

/// The bits of what a mask leaves of values.
fn masked<T: Real>(values: &[T], mask: impl Fn(usize) -> bool) -> Vec<u64> {
    let left = |(index, &value)| if mask(index) { value } else { T::ZERO };
    bits(&values.iter().enumerate().map(left).collect::<Vec<T>>())
}

fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    let sign = |value: &T| u64::from(value.to_f64().is_sign_negative());
    let bits = |value: &T| value.key().to_u64() << 1 | sign(value);
    values.iter().map(bits).collect()
}

/// Compares all that can be done with cuts to a sort. Gives the most passes that any search took.
fn check<T: Real>(values: &[T], ks: &[u64]) -> usize {
    let order = order(values);
    let elements = values.len() as u64;
    let mut most = 0;
    let mut expected: Option<Vec<Cut>> = None;
    for (isa, workers) in Isa::available().into_iter().zip([1, 3, 2]) {
        let (found, passes) = search(
            isa,
            values,
            Search::new(elements, ks),
            workers,
            elements + 1,
        );
        most = most.max(passes);
        let cuts = found.cuts().unwrap();
        assert_eq!(*expected.get_or_insert(cuts.clone()), cuts, "{isa}");
        for (cut, &k) in cuts.iter().zip(ks) {
            let mask = mask(&order, k);
            let kept = kept(values, |tile, values| keep_on(isa, cut, tile, values));
            assert!(
                bits(&kept) == masked(values, |i| mask[i]),
                "keep {k} on {isa}: {cut:?}"
            );
        }
        let (outer, inner) = (cuts.len() - 1, 0);
        let masks = [mask(&order, ks[outer]), mask(&order, ks[inner])];
        let window = kept(values, |tile, values| {
            keep_between_on(isa, &cuts[outer], &cuts[inner], tile, values);
        });
        let expected = masked(values, |i| masks[0][i] && !masks[1][i]);
        assert!(bits(&window) == expected, "keep_between {ks:?} on {isa}");
    }
    let magnitudes = Search::for_magnitudes(elements, ks);
    let (found, _) = search(Isa::PORTABLE, values, magnitudes, 2, 5);
    for (magnitude, &k) in found.magnitudes().unwrap().iter().zip(ks) {
        let last = order.get((k.min(elements) as usize).wrapping_sub(1));
        if let Some(&last) = last {
            assert_eq!(
                magnitude.key(),
                values[last as usize].key(),
                "magnitude {k}"
            );
        }
    }
    for share in [0.0, 0.001, 0.5, 0.9999] {
        check_share(values, &order, share);
    }
    most
}

/// Compares the search for a share of the elements that are not zero to a sort. Gives its number of passes.
fn check_share<T: Real>(values: &[T], order: &[u32], share: f64) -> usize {
    let nonzero = values.iter().filter(|value| **value != T::ZERO).count();
    let mask = mask(order, (share * nonzero as f64) as u64);
    let shared = Search::for_share_of_nonzero(values.len() as u64, share);
    let (found, passes) = search(Isa::detected(), values, shared, 3, 11);
    let cut = found.cuts().unwrap()[0];
    let kept = kept(values, |tile, values| keep(&cut, tile, values));
    assert!(
        bits(&kept) == masked(values, |i| mask[i]),
        "{share}: {cut:?}"
    );
    passes
}

/// Several places to cut, the shortest first.
fn some_ks(elements: usize, seed: u64) -> Vec<u64> {
    let n = elements as u64;
    let mut random = Random(seed);
    let mut ks = vec![
        0,
        1,
        n / 100,
        n / 3,
        n / 2,
        n - n / 10,
        n.saturating_sub(1),
        n,
        n + 1,
    ];
    ks.extend((0..3).map(|_| random.bits() % (n + 1)));
    ks.sort_unstable();
    ks
}

fn gaussian(count: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let mut unit = || (random.bits() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    (0..count)
        .map(|_| (0.01 * (0..6).map(|_| unit()).sum::<f64>()) as f32)
        .collect()
}

/// Differences of numbers with eight bits: few distinct values.
fn rounded(count: usize, seed: u64) -> Vec<f32> {
    let rounded = |x: f32| f32::from_bits((x.to_bits() + 0x8000) & 0xffff_0000);
    let (base, change) = (gaussian(count, seed), gaussian(count, seed + 1));
    base.iter()
        .zip(change)
        .map(|(&base, change)| rounded(rounded(base) + 0.05 * change) - rounded(base))
        .collect()
}

const LENGTHS: [usize; 16] = [
    1,
    2,
    3,
    63,
    64,
    65,
    TILE - 1,
    TILE,
    TILE + 1,
    3 * TILE,
    5 * TILE + 17,
    8 * TILE,
    8 * TILE + 1,
    20 * TILE - 1,
    100_000,
    262_144,
];

#[test]
fn the_first_k_are_those_of_a_sort_for_any_length() {
    for length in LENGTHS {
        for seed in 0..2 {
            let ks = some_ks(length, seed);
            check(&gaussian(length, seed), &ks);
            check(&rounded(length, seed), &ks);
        }
    }
}

#[test]
fn doubles_are_told_apart_to_the_last_bit() {
    for length in [1, 1000, TILE + 1, 100_000] {
        let mut random = Random(length as u64);
        let mut close = |_| 1.0 + f64::EPSILON * (random.bits() % 50_000) as f64;
        let close: Vec<f64> = (0..length).map(&mut close).collect();
        check(&close, &some_ks(length, 1));
        let wide: Vec<f64> = gaussian(length, 3)
            .iter()
            .map(|&x| f64::from(x).powi(3))
            .collect();
        check(&wide, &some_ks(length, 2));
    }
}

#[test]
fn equal_elements_are_cut_at_the_lowest_index_across_tiles() {
    for length in [5, TILE, 7 * TILE + 3, 60 * TILE + 5] {
        let ks = some_ks(length, 9);
        check(&vec![0.0_f32; length], &ks);
        check(&vec![-2.5_f32; length], &ks);
        let signs: Vec<f32> = (0..length)
            .map(|i| if i % 3 == 0 { -0.0 } else { 0.0 })
            .collect();
        check(&signs, &ks);
        // one distinct element at either end of many equal ones
        let mut ends = vec![1.0_f64; length];
        ends[0] = 0.5;
        ends[length - 1] = -2.0;
        check(&ends, &ks);
    }
}

#[test]
fn ties_may_end_on_either_side_of_a_border() {
    let length = 12 * TILE;
    let mut values = vec![1.0_f32; length];
    // 100 larger ones, so that the ties start to count at 100
    values[..100].fill(-7.0);
    let mut ks = Vec::new();
    for border in (1..12).map(|tile| (tile * TILE) as u64) {
        ks.extend([border - 1, border, border + 1]);
    }
    check(&values, &ks);
}

#[test]
fn not_a_number_comes_first_and_infinity_next() {
    let mut values = gaussian(40 * TILE, 4);
    values[7] = f32::INFINITY;
    values[70_000] = -f32::NAN;
    values[5] = f32::NEG_INFINITY;
    check(&values, &[1, 2, 3, 4, 100]);
    let (found, _) = search(
        Isa::PORTABLE,
        &values,
        Search::new(40 * TILE as u64, &[1]),
        1,
        0,
    );
    let cut = found.cuts().unwrap()[0];
    let mut tile = values[34 * TILE..35 * TILE].to_vec();
    keep(&cut, 34, &mut tile);
    assert!(tile[70_000 - 34 * TILE].is_nan() && tile.iter().filter(|x| **x != 0.0).count() == 1);
}

#[test]
fn an_empty_tensor_needs_no_pass() {
    let search = Search::<f32>::new(0, &[0, 5]);
    assert_eq!(search.pieces(), 0);
    assert_eq!(search.cuts(), Some(vec![Cut::NONE, Cut::ALL]));
    assert_eq!(Search::<f32>::new(0, &[]).cuts(), Some(vec![]));
    let search = Search::<f32>::for_share_of_nonzero(0, 0.5);
    assert_eq!((search.pieces(), search.cuts()), (0, Some(vec![Cut::NONE])));
}

#[test]
fn a_share_of_what_is_mostly_zero_is_found() {
    let length = 1 << 20;
    for one_in in [3, 1000, 700_000, 1 << 21] {
        let mut values = gaussian(length, 6);
        for (index, value) in values.iter_mut().enumerate() {
            if (index + 1) % one_in != 0 {
                *value = if index % 2 == 0 { 0.0 } else { -0.0 };
            }
        }
        let order = order(&values);
        for share in [0.01, 0.5, 0.999] {
            check_share(&values, &order, share);
        }
    }
}

/// Tensors in which the sample says little about the whole.
fn misleading(length: usize) -> Vec<Vec<f32>> {
    let noise = gaussian(length, 8);
    let sorted = |descending: bool| {
        let mut sorted = noise.clone();
        sorted.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        if descending {
            sorted.reverse();
        }
        sorted
    };
    let search = Search::<f32>::new(length as u64, &[1]);
    let mut sampled = noise.clone();
    let mut others = vec![1e-3_f32; length];
    for piece in 0..search.pieces() {
        let range = search.piece(piece);
        sampled[range.start as usize..range.end as usize].fill(1e20);
        others[range.start as usize..range.end as usize].fill(-1e-30);
    }
    let scales = |row: usize| {
        (0..length)
            .map(|i| noise[i] * (1 + (i / row) % 17) as f32)
            .collect()
    };
    vec![
        sorted(false),
        sorted(true),
        sampled,
        others,
        scales(896),
        scales(20_000),
    ]
}

#[test]
fn a_sample_that_misleads_costs_passes_and_not_the_result() {
    let length = 300_000;
    for values in misleading(length) {
        check(&values, &[300, 30_000, 100_000, 150_000, 299_000]);
    }
}

#[test]
fn a_large_tensor_takes_few_passes() {
    let length = 1 << 22;
    let ks = [length as u64 / 100, length as u64 / 2];
    // the sample, the bracket, and one of the keys of a bin
    assert!(check(&gaussian(length, 1), &ks) <= 3);
    assert!(check(&rounded(length, 1), &ks) <= 3);
    let single = |k| check(&rounded(length, 3), &[k]);
    assert!(single(length as u64 / 3) <= 3);
    for values in [gaussian(length, 1), rounded(length, 1)] {
        assert!(check_share(&values, &order(&values), 0.5) <= 3);
    }
}

proptest! {
    #[test]
    fn any_bits_are_selected_as_sorted(
        distinct in prop::collection::vec(any::<u32>(), 1..40),
        repeats in 1_usize..800,
        seed in any::<u64>(),
        share in 0.0..1.0_f64,
    ) {
        let mut random = Random(seed);
        let length = distinct.len() * repeats;
        let values: Vec<f32> = (0..length)
            .map(|_| f32::from_bits(distinct[random.bits() as usize % distinct.len()]))
            .collect();
        let k = (share * length as f64) as u64;
        check(&values, &[k / 3, k]);
        let bits: Vec<f64> = (0..length.min(5000)).map(|_| f64::from_bits(random.bits())).collect();
        check(&bits, &[(share * bits.len() as f64) as u64]);
    }
}

#[test]
fn a_cut_by_key_needs_no_search() {
    let cut = Cut::down_to(1.0_f32.key().to_u64());
    let mut values = [0.5_f32, -1.0, 2.0, 0.999];
    keep(&cut, 3, &mut values);
    assert_eq!(values, [0.0, -1.0, 2.0, 0.0]);
}

//! Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC '11, <https://doi.org/10.1145/2063384.2063405>.

use super::Stream;

/// The multipliers of words 0 and 2.
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// What is added to the key after each round: the golden ratio and √3 − 1.
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

/// Four random words of a counter and a key.
///
/// # Examples
/// ```
/// use weightsmith_tensors::kernels::philox4x32;
///
/// assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    rounds(counter.map(|word| [u64::from(word)]), key).map(|[word]| word as u32)
}

/// The ten rounds for several counters side by side, one word in the low half of each `u64`; the high halves are noise.
#[inline(always)]
fn rounds<const N: usize>(mut words: [[u64; N]; 4], mut key: [u32; 2]) -> [[u64; N]; 4] {
    for _ in 0..ROUNDS {
        let [first, second, third, fourth] = words;
        for lane in 0..N {
            let low = u64::from(MULTIPLIERS[0]) * u64::from(first[lane] as u32);
            let high = u64::from(MULTIPLIERS[1]) * u64::from(third[lane] as u32);
            words[0][lane] = (high >> 32) ^ second[lane] ^ u64::from(key[0]);
            words[1][lane] = high;
            words[2][lane] = (low >> 32) ^ fourth[lane] ^ u64::from(key[1]);
            words[3][lane] = low;
        }
        key[0] = key[0].wrapping_add(KEY_STEPS[0]);
        key[1] = key[1].wrapping_add(KEY_STEPS[1]);
    }
    words
}

/// The words of the elements of `N` counters from one on.
#[inline(always)]
pub(super) fn words<const N: usize>(stream: Stream, counter: u64) -> [[u32; 4]; N] {
    let mut counters = [0; N];
    for (lane, lane_counter) in counters.iter_mut().enumerate() {
        *lane_counter = counter.wrapping_add(lane as u64);
    }
    let counters = [
        counters,
        counters.map(|counter| counter >> 32),
        [stream.id; N],
        [stream.id >> 32; N],
    ];
    let words = rounds(counters, [stream.seed as u32, (stream.seed >> 32) as u32]);
    let mut elements = [[0; 4]; N];
    for (lane, element) in elements.iter_mut().enumerate() {
        *element = [0, 1, 2, 3].map(|word: usize| words[word][lane] as u32);
    }
    elements
}

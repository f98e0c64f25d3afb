//! A sequence gives the same, however its tokens come to the decoder.

use weightsmith_infer::config::RopeKind;
use weightsmith_infer::{Decoder, DecoderOptions, MAX_PASS_TOKENS, SequenceStep, Wants};

use crate::families::cases;
use crate::support::{distance, greedy, open, open_with, repository, run};

const CLOSE: f32 = 1e-4;

/// Tokens without rhyme or reason.
fn tokens(count: usize, seed: u32, vocabulary: usize) -> Vec<u32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % vocabulary as u32
    };
    (0..count).map(|_| next()).collect()
}

/// Keys turned for one length do not fit another: such sequences depend on their steps, in transformers too.
fn depends_on_length(decoder: &Decoder) -> bool {
    decoder
        .config()
        .ropes
        .iter()
        .any(|rope| matches!(rope.kind, RopeKind::Dynamic { .. } | RopeKind::Long { .. }))
}

fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (position, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = distance(found, expected);
        assert!(error < CLOSE, "{what}, {position}: {error}");
        assert_eq!(greedy(found), greedy(expected), "{what}, {position}");
    }
}

#[test]
fn every_family_gives_the_same_token_by_token() {
    for case in cases() {
        if depends_on_length(&case.decoder) {
            continue;
        }
        let whole = run(
            &case.decoder,
            &mut case.decoder.new_cache(),
            &case.tokens,
            Wants::All,
        );
        let mut cache = case.decoder.new_cache();
        let mut single = Vec::new();
        for piece in case.tokens.chunks(1) {
            single.extend(run(&case.decoder, &mut cache, piece, Wants::All));
        }
        assert_close(&single, &whole, &case.name);
        let mut cache = case.decoder.new_cache();
        let mut pieces = Vec::new();
        for piece in case.tokens.chunks(7) {
            pieces.extend(run(&case.decoder, &mut cache, piece, Wants::All));
        }
        assert_close(&pieces, &whole, &case.name);
    }
}

#[test]
fn every_family_gives_the_same_in_a_batch() {
    for case in cases() {
        let decoder = &case.decoder;
        let vocabulary = decoder.config().vocabulary;
        let positions = decoder.config().positions.min(48);
        let lengths = [1, positions, 17, 30];
        let sequences: Vec<Vec<u32>> = (1..)
            .zip(lengths)
            .map(|(seed, length)| tokens(length.min(positions), seed, vocabulary))
            .collect();
        let mut caches: Vec<_> = sequences.iter().map(|_| decoder.new_cache()).collect();
        let mut steps: Vec<SequenceStep<'_>> = sequences
            .iter()
            .zip(&mut caches)
            .map(|(tokens, cache)| SequenceStep {
                tokens,
                cache,
                wants: Wants::All,
            })
            .collect();
        let together = decoder.step(&mut steps).unwrap();
        for (index, sequence) in sequences.iter().enumerate() {
            let alone = run(decoder, &mut decoder.new_cache(), sequence, Wants::All);
            let found: Vec<Vec<f32>> = together.rows(index).map(<[f32]>::to_vec).collect();
            assert_close(&found, &alone, &format!("{} {index}", case.name));
        }
    }
}

#[test]
fn long_prompts_are_the_same_alone_in_pieces_in_a_batch_and_after_a_prefix() {
    let decoder = open(&repository("fixtures/tiny-qwen2/base"));
    let prompt = tokens(2 * MAX_PASS_TOKENS + 300, 5, 1056);
    let whole = run(&decoder, &mut decoder.new_cache(), &prompt, Wants::Last);

    let mut cache = decoder.new_cache();
    let mut last = Vec::new();
    for piece in prompt.chunks(97) {
        last = run(&decoder, &mut cache, piece, Wants::Last);
    }
    assert_close(&last, &whole, "in pieces");

    let mut prefix = decoder.new_cache();
    run(&decoder, &mut prefix, &prompt[..700], Wants::Nothing);
    let mut shared = prefix.clone();
    run(&decoder, &mut prefix, &tokens(200, 9, 1056), Wants::Nothing);
    assert_eq!(shared.len(), 700);
    let after = run(&decoder, &mut shared, &prompt[700..], Wants::Last);
    assert_close(
        &after,
        &whole,
        "after a prefix that another sequence shared",
    );

    assert_eq!(prefix.truncate(700), 700);
    let after = run(&decoder, &mut prefix, &prompt[700..], Wants::Last);
    assert_close(&after, &whole, "after a prefix whose rest was forgotten");

    let others = [tokens(600, 1, 1056), tokens(3, 2, 1056)];
    let mut caches = [
        decoder.new_cache(),
        decoder.new_cache(),
        decoder.new_cache(),
    ];
    let [first, second, third] = &mut caches;
    let step = |tokens, cache, wants| SequenceStep {
        tokens,
        cache,
        wants,
    };
    let mut steps = [
        step(&others[0][..], first, Wants::Nothing),
        step(&prompt, second, Wants::Last),
        step(&others[1], third, Wants::All),
    ];
    let together = decoder.step(&mut steps).unwrap();
    assert_eq!(together.rows(0).len(), 0);
    assert_eq!(together.rows(2).len(), 3);
    let found: Vec<Vec<f32>> = together.rows(1).map(<[f32]>::to_vec).collect();
    assert_close(&found, &whole, "in a batch");
    assert_eq!(caches[1].len(), prompt.len());
}

#[test]
fn the_cache_grows_in_blocks() {
    for exact in [false, true] {
        let options = DecoderOptions {
            exact,
            ..DecoderOptions::default()
        };
        let decoder = open_with(&repository("fixtures/tiny-qwen2/base"), options);
        let mut cache = decoder.new_cache();
        assert_eq!(cache.bytes(), 0);
        run(&decoder, &mut cache, &[1], Wants::Nothing);
        // 6 layers, keys and values, 2 heads of 32
        let position = 6 * 2 * 2 * 32 * if exact { 4 } else { 2 };
        assert_eq!(decoder.cache_bytes_per_position(), position);
        assert_eq!(cache.bytes(), 128 * position);
        run(&decoder, &mut cache, &tokens(128, 1, 1000), Wants::Nothing);
        assert_eq!(cache.bytes(), 256 * position);
        assert_eq!(cache.truncate(128), 128);
        assert_eq!(cache.bytes(), 128 * position);
    }
}

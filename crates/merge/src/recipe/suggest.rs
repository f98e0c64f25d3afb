//! "Did you mean": the known word that is closest to a mistyped one.

/// The candidate that is closest to `word`, if one is close enough to have been meant.
///
/// Upper and lower case count as equal, and so do `-`, `_` and a space. A candidate is close enough
/// when a third of its characters or fewer would have to be inserted, deleted, replaced or exchanged with a neighbour
/// (Damerau–Levenshtein distance), or when one of the two begins or ends with the other, which has three characters or more.
/// Of equally close ones the first wins.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = normalise(word);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(&word, &normalise(candidate))?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Longer words are not compared: no name of ours is this long, and the comparison is quadratic.
const MAX_LENGTH: usize = 64;

fn normalise(word: &str) -> String {
    word.trim()
        .chars()
        .map(|c| if matches!(c, '-' | ' ') { '_' } else { c })
        .flat_map(char::to_lowercase)
        .take(MAX_LENGTH + 1)
        .collect()
}

/// Changed characters; more than any such distance for a beginning or an end.
fn distance(word: &str, candidate: &str) -> Option<usize> {
    let (shorter, longer) = {
        let (a, b) = (word.chars().count(), candidate.chars().count());
        (a.min(b), a.max(b))
    };
    if shorter == 0 || longer > MAX_LENGTH {
        return None;
    }
    let edits = strsim::damerau_levenshtein(word, candidate);
    if edits * 3 <= longer {
        return Some(edits);
    }
    let is_end = |long: &str, short: &str| long.starts_with(short) || long.ends_with(short);
    (shorter >= 3 && (is_end(candidate, word) || is_end(word, candidate))).then_some(longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = [
        "merge_method",
        "models",
        "slices",
        "dtype",
        "out_dtype",
        "t",
    ];

    #[test]
    fn a_missing_letter_is_found() {
        assert_eq!(closest("merge_metod", KEYS), Some("merge_method"));
        assert_eq!(closest("dtpye", KEYS), Some("dtype"));
    }

    #[test]
    fn hyphens_and_case_do_not_count() {
        assert_eq!(closest("Merge-Method", KEYS), Some("merge_method"));
    }

    #[test]
    fn a_beginning_or_an_end_is_found() {
        assert_eq!(closest("method", KEYS), Some("merge_method"));
        assert_eq!(closest("bfloat", ["float16", "bfloat16"]), Some("bfloat16"));
        assert_eq!(closest("dare", ["ties", "dare_ties"]), Some("dare_ties"));
    }

    #[test]
    fn a_different_word_is_not_suggested() {
        assert_eq!(closest("banana", KEYS), None);
        assert_eq!(closest("x", KEYS), None);
        assert_eq!(closest("", KEYS), None);
    }

    #[test]
    fn the_closest_of_several_wins() {
        assert_eq!(closest("model", KEYS), Some("models"));
        assert_eq!(closest("outdtype", KEYS), Some("out_dtype"));
    }
}

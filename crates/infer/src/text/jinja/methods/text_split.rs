//! Cutting texts, and replacing parts of them.

use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::text::is_space;
use crate::text::jinja::value::{Heap, Value};

/// `split(separator, limit)`, from the right or the left.
pub(super) fn split<'t>(
    text: &'t str,
    separator: Option<&str>,
    limit: i128,
    from_right: bool,
) -> Result<Vec<&'t str>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let Some(separator) = separator else {
        return Ok(split_words(text, limit, from_right));
    };
    if separator.is_empty() {
        fail!("an empty separator");
    }
    let parts = limit.saturating_add(1);
    Ok(if from_right {
        let mut parts: Vec<&str> = text.rsplitn(parts, separator).collect();
        parts.reverse();
        parts
    } else {
        text.splitn(parts, separator).collect()
    })
}

/// Words between blanks.
fn split_words(text: &str, limit: usize, from_right: bool) -> Vec<&str> {
    let mut words = Vec::new();
    if from_right {
        let mut rest = text.trim_end_matches(is_space);
        while words.len() < limit && !rest.is_empty() {
            let Some(blank) = rest.rfind(is_space) else {
                break;
            };
            let word = blank + rest[blank..].chars().next().map_or(0, char::len_utf8);
            words.push(&rest[word..]);
            rest = rest[..blank].trim_end_matches(is_space);
        }
        if !rest.is_empty() {
            words.push(rest);
        }
        words.reverse();
        return words;
    }
    let mut rest = text.trim_start_matches(is_space);
    while words.len() < limit && !rest.is_empty() {
        let Some(blank) = rest.find(is_space) else {
            break;
        };
        words.push(&rest[..blank]);
        rest = rest[blank..].trim_start_matches(is_space);
    }
    if !rest.is_empty() {
        words.push(rest);
    }
    words
}

/// `partition` and `rpartition`.
pub(super) fn partition<'t>(
    text: &'t str,
    separator: &str,
    from_right: bool,
) -> Result<[&'t str; 3]> {
    if separator.is_empty() {
        fail!("an empty separator");
    }
    let place = if from_right {
        text.rfind(separator)
    } else {
        text.find(separator)
    };
    Ok(match place {
        Some(place) => {
            let after = place + separator.len();
            [&text[..place], &text[place..after], &text[after..]]
        }
        None if from_right => ["", "", text],
        None => [text, "", ""],
    })
}

/// `replace(old, new, count)`; a negative count is all.
pub(in crate::text::jinja) fn replaced(
    heap: &Heap,
    text: &str,
    (old, new): (&str, &str),
    count: i128,
) -> Result<Value> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let mut out = Writer::new(heap);
    let mut end = 0;
    for (place, found) in text.match_indices(old).take(limit) {
        heap.meter.work(1)?;
        out.push(&text[end..place])?;
        out.push(new)?;
        end = place + found.len();
    }
    out.push(&text[end..])?;
    out.finish()
}

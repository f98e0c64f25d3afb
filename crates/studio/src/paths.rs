//! Parts of addresses.

use std::fmt::Write as _;

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            // writing to a string cannot fail
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(segment("Qwen/Qwen2.5-0.5B"), "Qwen%2FQwen2.5-0.5B");
        assert_eq!(segment("a b?ü"), "a%20b%3F%C3%BC");
    }
}

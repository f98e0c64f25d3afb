//! Sizes as people write them.

/// A text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields say in words what the message says")]
pub enum SizeError {
    /// Not digits and a unit.
    #[error(
        "`{text}` is not a size; expected whole bytes, or a number with K, M, B, T, KB, MB, GB, TB, KiB, MiB, GiB or TiB"
    )]
    Invalid { text: String },
    /// Nothing fits into it.
    #[error("`{text}` is a size of zero")]
    Zero { text: String },
    /// More than 2^64 - 1 bytes.
    #[error("`{text}` does not fit 64 bits")]
    TooLarge { text: String },
}

/// Bytes of a size such as `5B` (mergekit's notation: K, M, B and T stand for 10^3, 10^6, 10^9 and 10^12 *bytes*), `5GB`,
/// `5GiB` or `500000`. Letters in either case; blanks around number and unit.
///
/// # Examples
/// ```
/// use weightsmith_tensors::parse_size;
/// assert_eq!(parse_size("5B"), Ok(5_000_000_000));
/// assert_eq!(parse_size("5GiB"), Ok(5 << 30));
/// ```
///
/// # Errors
/// When the text is something else, zero, or too large.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let own = || text.to_owned();
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at(digits);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        _ if number.is_empty() => None,
        "" => Some(1),
        "k" | "kb" => Some(1_000),
        "m" | "mb" => Some(1_000_000),
        "b" | "g" | "gb" => Some(1_000_000_000),
        "t" | "tb" => Some(1_000_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        "tib" => Some(1 << 40),
        _ => None,
    };
    let factor: u64 = factor.ok_or_else(|| SizeError::Invalid { text: own() })?;
    // only digits are left, so that overflow alone can make this fail
    let size = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| SizeError::TooLarge { text: own() })?;
    if size == 0 {
        return Err(SizeError::Zero { text: own() });
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_mergekit_count_bytes() {
        assert_eq!(parse_size("5B"), Ok(5_000_000_000));
        assert_eq!(parse_size("5b"), Ok(5_000_000_000));
        assert_eq!(parse_size("5 B"), Ok(5_000_000_000));
        assert_eq!(parse_size(" 5B"), Ok(5_000_000_000));
        assert_eq!(parse_size("5M"), Ok(5_000_000));
        assert_eq!(parse_size("5k"), Ok(5_000));
        assert_eq!(parse_size("500000"), Ok(500_000));
    }

    #[test]
    fn decimal_and_binary_units() {
        assert_eq!(parse_size("5GB"), Ok(5_000_000_000));
        assert_eq!(parse_size("5GiB"), Ok(5_368_709_120));
        assert_eq!(parse_size("5MB"), Ok(5_000_000));
        assert_eq!(parse_size("5 mib"), Ok(5_242_880));
        assert_eq!(parse_size("2T"), Ok(2_000_000_000_000));
        assert_eq!(parse_size("1KiB"), Ok(1024));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", " ", "B", "-5B", "+5", "5.5B", "5e9", "5X", "5BB", "5 G B", "٣B", "1_000", "0x10",
        ] {
            assert_eq!(
                parse_size(text),
                Err(SizeError::Invalid {
                    text: text.to_owned()
                }),
                "{text:?}"
            );
        }
        for text in ["0", "0GB", "000"] {
            assert_eq!(
                parse_size(text),
                Err(SizeError::Zero {
                    text: text.to_owned()
                })
            );
        }
        for text in [
            "18446744073709551616",
            "18446744073709551615k",
            "99999999999999999999999B",
        ] {
            assert_eq!(
                parse_size(text),
                Err(SizeError::TooLarge {
                    text: text.to_owned()
                })
            );
        }
        assert_eq!(parse_size("18446744073709551615"), Ok(u64::MAX));
    }
}

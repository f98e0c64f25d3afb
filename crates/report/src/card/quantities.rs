//! Numbers and sizes as a card prints them.

/// `988 MB`, in powers of ten.
pub(super) fn size(bytes: u64) -> String {
    let scales = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let bytes = bytes as f64;
    scales
        .into_iter()
        .find(|(scale, _)| bytes >= *scale)
        .map_or_else(
            || format!("{bytes} bytes"),
            |(scale, unit)| {
                let scaled = bytes / scale;
                let decimals = if scaled < 9.995 {
                    2
                } else {
                    usize::from(scaled < 99.95)
                };
                format!("{scaled:.decimals$} {unit}")
            },
        )
}

/// `494,032,768`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! Numbers as people read them.

/// A size in bytes: `988.1 MB`, `1.98 GB`. Decimal units, as disks and the Hub use.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if unit < 2 { 1 } else { 2 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// An amount of memory: `256.0 MiB`. Binary units, as `--max-memory` is usually given.
pub fn memory(count: u64) -> String {
    format!("{:.1} MiB", count as f64 / f64::from(1 << 20))
}

/// A number of parameters: `494.03M`, `7.62B`.
pub fn parameters(count: u64) -> String {
    let value = count as f64;
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.2}K", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2}M", value / 1e6),
        1_000_000_000..1_000_000_000_000 => format!("{:.2}B", value / 1e9),
        _ => format!("{:.2}T", value / 1e12),
    }
}

/// A whole number with thousands set apart: `151,936`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration: `0.84 s`, `12.3 s`, `3 min 20 s`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 100.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// A count with its noun, in the plural where it is not one: `1 error`, `3 errors`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count as u64))
}

/// A share of one as a percentage that never rounds a part to nothing or to all: `12.5 %`, `<0.1 %`, `>99.9 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if share > 0.0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else if share < 1.0 && percent >= 99.95 {
        ">99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_unit_where_the_number_would_need_four_digits() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(988_097_824), "988.1 MB");
        assert_eq!(bytes(999_949_999), "999.9 MB");
        assert_eq!(bytes(999_950_000), "1.00 GB");
        assert_eq!(bytes(u64::MAX), "18446.74 PB");
    }

    #[test]
    fn memory_has_the_units_of_its_option() {
        assert_eq!(memory(256 << 20), "256.0 MiB");
        assert_eq!(memory(6_500_000), "6.2 MiB");
    }

    #[test]
    fn parameters_have_two_decimals() {
        assert_eq!(parameters(494_032_768), "494.03M");
        assert_eq!(parameters(7_615_616_512), "7.62B");
        assert_eq!(parameters(12), "12");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(151_936), "151,936");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }

    #[test]
    fn durations_keep_three_digits() {
        assert_eq!(seconds(0.841), "0.84 s");
        assert_eq!(seconds(12.34), "12.3 s");
        assert_eq!(seconds(200.4), "3 min 20 s");
    }

    #[test]
    fn one_has_no_plural() {
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(0, "error"), "0 errors");
        assert_eq!(counted(2000, "tensor"), "2,000 tensors");
    }

    #[test]
    fn a_part_is_neither_nothing_nor_all() {
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(1e-9), "<0.1 %");
        assert_eq!(percent(0.125), "12.5 %");
        assert_eq!(percent(0.999_99), ">99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
    }
}

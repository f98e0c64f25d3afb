//! Sets of layers in words: `layers 0–3 and 20–23`.

/// More runs than this are shortened.
const MAX_RUNS: usize = 6;

/// `layer 5`, `layers 0–3 and 20–23`, `layers 0, 2 and 4`. The layers must be sorted.
pub(super) fn layers_in_words(layers: &[usize]) -> String {
    let runs = runs(layers);
    let noun = if layers.len() == 1 { "layer" } else { "layers" };
    let mut names: Vec<String> = runs
        .iter()
        .map(|&(first, last)| range(first, last))
        .collect();
    if names.len() > MAX_RUNS {
        let shown = names[..MAX_RUNS - 1].join(", ");
        return format!(
            "{noun} {shown} … {} ({} layers)",
            names[names.len() - 1],
            layers.len()
        );
    }
    let Some(last) = names.pop() else {
        return "no layer".to_owned();
    };
    if names.is_empty() {
        format!("{noun} {last}")
    } else {
        format!("{noun} {} and {last}", names.join(", "))
    }
}

/// `3`, or `0–3`.
pub(super) fn range(first: usize, last: usize) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}–{last}")
    }
}

/// First and last of each run of successive layers.
pub(super) fn runs(layers: &[usize]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &layer in layers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == layer => *last = layer,
            _ => runs.push((layer, layer)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successive_layers_are_one_range() {
        assert_eq!(layers_in_words(&[5]), "layer 5");
        assert_eq!(
            layers_in_words(&[0, 1, 2, 3, 20, 21, 22, 23]),
            "layers 0–3 and 20–23"
        );
        assert_eq!(layers_in_words(&[0, 2, 4]), "layers 0, 2 and 4");
    }

    #[test]
    fn many_ranges_are_shortened_and_counted() {
        let even: Vec<usize> = (0..12).map(|i| i * 2).collect();
        assert_eq!(
            layers_in_words(&even),
            "layers 0, 2, 4, 6, 8 … 22 (12 layers)"
        );
    }
}

//! Texts that end a generation.

/// Lets text through up to the first of some stop texts, and holds back what may become one.
#[derive(Debug, Clone, Default)]
pub struct StopFilter {
    stops: Vec<String>,
    pending: String,
    stopped: Option<usize>,
}

impl StopFilter {
    /// A filter for some texts; empty ones count for nothing.
    pub fn new(stops: &[String]) -> Self {
        Self {
            stops: stops
                .iter()
                .filter(|stop| !stop.is_empty())
                .cloned()
                .collect(),
            ..Self::default()
        }
    }

    /// The stop text that was met.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.map(|index| self.stops[index].as_str())
    }

    /// Adds text; returns what can be shown.
    pub fn push(&mut self, text: &str) -> String {
        if self.stopped.is_some() {
            return String::new();
        }
        self.pending.push_str(text);
        let met = self
            .stops
            .iter()
            .enumerate()
            .filter_map(|(index, stop)| Some((self.pending.find(stop)?, index)))
            .min();
        if let Some((place, index)) = met {
            self.stopped = Some(index);
            self.pending.truncate(place);
            return std::mem::take(&mut self.pending);
        }
        let held = self.stops.iter().map(|stop| self.begun(stop)).max();
        let rest = self
            .pending
            .split_off(self.pending.len() - held.unwrap_or(0));
        std::mem::replace(&mut self.pending, rest)
    }

    /// What was held back, when nothing more comes.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.pending)
    }

    /// Length of the longest end of the pending text that a stop text begins with.
    fn begun(&self, stop: &str) -> usize {
        stop.char_indices()
            .map(|(index, _)| index)
            .rev()
            .find(|&length| self.pending.ends_with(&stop[..length]))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(stops: &[&str]) -> StopFilter {
        let stops: Vec<String> = stops.iter().map(|&stop| stop.to_owned()).collect();
        StopFilter::new(&stops)
    }

    #[test]
    fn a_stop_text_over_several_pieces_is_cut_off() {
        let mut filter = filter(&["END", "\n\n"]);
        assert_eq!(filter.push("one E"), "one ");
        assert_eq!(filter.push("Nx E"), "ENx ");
        assert_eq!(filter.push("N"), "");
        assert_eq!(filter.push("D and more"), "");
        assert_eq!(filter.stopped(), Some("END"));
        assert_eq!(filter.push("never"), "");
        assert_eq!(filter.finish(), "");
    }

    #[test]
    fn what_was_held_back_comes_at_the_end() {
        let mut filter = filter(&["äöü", ""]);
        assert_eq!(filter.push("xäö"), "x");
        assert_eq!(filter.stopped(), None);
        assert_eq!(filter.finish(), "äö");
    }

    #[test]
    fn the_first_of_several_counts() {
        let mut filter = filter(&["b", "a"]);
        assert_eq!(filter.push("xxab"), "xx");
        assert_eq!(filter.stopped(), Some("a"));
    }
}

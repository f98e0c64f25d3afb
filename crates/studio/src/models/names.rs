//! Names that no two models share.

use std::collections::BTreeSet;

/// Gives names away, each once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name that is wished for, with a number behind it where another has it already.
    pub(super) fn take(&mut self, wished: &str) -> String {
        let mut name = wished.to_owned();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{wished}-{number}");
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let mut names = Names::default();
        let given: Vec<String> = ["base", "base-2", "base", "base"]
            .iter()
            .map(|wished| names.take(wished))
            .collect();
        assert_eq!(given, ["base", "base-2", "base-3", "base-4"]);
    }
}

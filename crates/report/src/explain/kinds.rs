//! Groups of tensor kinds with the same curve, and short names for them.

use std::collections::BTreeSet;

/// Kinds of tensors that share a curve.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KindGroup<T> {
    pub(super) kinds: Vec<String>,
    /// What holds in each layer; `None` where there is no such tensor.
    pub(super) curve: Vec<Option<T>>,
}

/// Puts kinds together whose curves agree in every layer that has both.
pub(super) fn group<T: Clone>(
    curves: impl IntoIterator<Item = (String, Vec<Option<T>>)>,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<KindGroup<T>> {
    let mut groups: Vec<KindGroup<T>> = Vec::new();
    for (kind, curve) in curves {
        let agrees = |group: &KindGroup<T>| {
            group.curve.iter().zip(&curve).all(|pair| match pair {
                (Some(a), Some(b)) => same(a, b),
                _ => true,
            })
        };
        if let Some(group) = groups.iter_mut().find(|group| agrees(group)) {
            for (mine, theirs) in group.curve.iter_mut().zip(curve) {
                *mine = mine.take().or(theirs);
            }
            group.kinds.push(kind);
        } else {
            groups.push(KindGroup {
                kinds: vec![kind],
                curve,
            });
        }
    }
    groups
}

/// More prefixes than this make a group `the rest` when it is the largest, and a shortened list otherwise.
const LISTED: usize = 3;

/// A name for each group of kinds, out of all kinds there are.
///
/// `all tensors` for a group of everything; else the prefixes that only this group has (`self_attn.*`); the largest
/// group that would need a long list is called `the rest`.
pub(super) fn names(groups: &[Vec<String>], all: &BTreeSet<String>) -> Vec<String> {
    let lists: Vec<Vec<String>> = groups.iter().map(|kinds| prefixes(kinds, all)).collect();
    let rest = (0..groups.len())
        .filter(|&index| lists[index].len() > LISTED && covers_the_rest(groups, all))
        .max_by_key(|&index| (groups[index].len(), std::cmp::Reverse(index)));
    groups
        .iter()
        .zip(&lists)
        .enumerate()
        .map(|(index, (kinds, list))| {
            if kinds.len() == all.len() {
                "all tensors".to_owned()
            } else if rest == Some(index) {
                "the rest".to_owned()
            } else if list.len() > LISTED {
                format!(
                    "{} and {} more",
                    list[..LISTED].join(", "),
                    list.len() - LISTED
                )
            } else {
                list.join(", ")
            }
        })
        .collect()
}

/// A name from [`names`] with each pattern in backticks.
pub(super) fn quoted(name: &str) -> String {
    let (patterns, more) = match name.rsplit_once(" and ") {
        Some((patterns, more)) if more.ends_with(" more") => (patterns, Some(more)),
        _ => (name, None),
    };
    let patterns: Vec<String> = patterns
        .split(", ")
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    match (patterns.as_slice(), more) {
        (patterns, Some(more)) => format!("{} and {more}", patterns.join(", ")),
        ([first @ .., last], None) if !first.is_empty() => {
            format!("{} and {last}", first.join(", "))
        }
        (patterns, None) => patterns.join(", "),
    }
}

/// `the rest` is only right when the groups together are everything.
fn covers_the_rest(groups: &[Vec<String>], all: &BTreeSet<String>) -> bool {
    groups.iter().map(Vec::len).sum::<usize>() == all.len()
}

/// The shortest prefixes that stand for exactly these kinds, in the order of the kinds.
fn prefixes(kinds: &[String], all: &BTreeSet<String>) -> Vec<String> {
    let mine: BTreeSet<&str> = kinds.iter().map(String::as_str).collect();
    let mut list = Vec::new();
    for kind in kinds {
        let name = kind
            .match_indices('.')
            .map(|(dot, _)| &kind[..=dot])
            .find(|prefix| owns(prefix, &mine, all))
            .map_or_else(|| kind.clone(), |prefix| format!("{prefix}*"));
        if !list.contains(&name) {
            list.push(name);
        }
    }
    list
}

/// True when several kinds have the prefix and all that have it are in the group.
fn owns(prefix: &str, mine: &BTreeSet<&str>, all: &BTreeSet<String>) -> bool {
    let mut with_prefix = all
        .iter()
        .filter(|kind| kind.starts_with(prefix))
        .peekable();
    let several = all
        .iter()
        .filter(|kind| kind.starts_with(prefix))
        .nth(1)
        .is_some();
    several && with_prefix.peek().is_some() && with_prefix.all(|kind| mine.contains(kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn all() -> BTreeSet<String> {
        kinds(&[
            "input_layernorm.weight",
            "mlp.down_proj.weight",
            "mlp.up_proj.weight",
            "post_attention_layernorm.weight",
            "self_attn.k_proj.bias",
            "self_attn.k_proj.weight",
            "self_attn.o_proj.weight",
        ])
        .into_iter()
        .collect()
    }

    #[test]
    fn a_group_of_everything_is_all_tensors() {
        let everything: Vec<String> = all().into_iter().collect();
        assert_eq!(names(&[everything], &all()), ["all tensors"]);
    }

    #[test]
    fn a_prefix_stands_for_the_kinds_that_only_one_group_has() {
        let groups = [
            kinds(&[
                "self_attn.k_proj.bias",
                "self_attn.k_proj.weight",
                "self_attn.o_proj.weight",
            ]),
            kinds(&["mlp.down_proj.weight"]),
            kinds(&[
                "mlp.up_proj.weight",
                "input_layernorm.weight",
                "post_attention_layernorm.weight",
            ]),
        ];
        assert_eq!(
            names(&groups, &all()),
            [
                "self_attn.*",
                "mlp.down_proj.weight",
                "mlp.up_proj.weight, input_layernorm.weight, post_attention_layernorm.weight"
            ]
        );
    }

    #[test]
    fn the_largest_group_with_a_long_list_is_the_rest() {
        let groups = [
            kinds(&["self_attn.k_proj.bias", "mlp.up_proj.weight"]),
            kinds(&[
                "input_layernorm.weight",
                "mlp.down_proj.weight",
                "post_attention_layernorm.weight",
                "self_attn.k_proj.weight",
                "self_attn.o_proj.weight",
            ]),
        ];
        assert_eq!(
            names(&groups, &all()),
            ["self_attn.k_proj.bias, mlp.up_proj.weight", "the rest"]
        );
    }

    #[test]
    fn kinds_that_no_layer_has_both_of_join_when_nothing_contradicts() {
        let curves = [
            ("mlp.up".to_owned(), vec![Some(0), None]),
            ("mlp.experts".to_owned(), vec![None, Some(1)]),
            ("norm".to_owned(), vec![Some(0), Some(2)]),
        ];
        let groups = group(curves, |a, b| a == b);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].curve, [Some(0), Some(1)]);
        assert_eq!(groups[1].kinds, ["norm"]);
    }
}

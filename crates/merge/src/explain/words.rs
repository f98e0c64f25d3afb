//! The explanation in sentences.

use super::layer_origins::in_place;
use super::layer_ranges::{layers_in_words, range, runs};
use super::outside_parts::parts_in_words;
use super::shares::same;
use super::{Explanation, LayerOrigin, Shares};

/// A model with at least this share of a layer rules it.
const RULES: f64 = 0.85;

/// Models count about equally when the largest and the smallest share are no further apart than this, divided by their
/// number: 62 % and 38 % of two, 42 % and 25 % of three.
const EQUAL: f64 = 0.25;

/// Shares this near are spoken of as equal without "about": half a percentage point.
const EXACT: f64 = 0.005;

/// More origins than this are left to the table.
const MAX_ORIGINS: usize = 6;

/// All sentences about a plan.
pub(super) fn sentences(explanation: &Explanation) -> Vec<String> {
    let names: Vec<&str> = explanation.models.iter().map(|model| model.name.as_str()).collect();
    let mut sentences = origin_sentences(&explanation.origins, &names);
    let Some(shares) = &explanation.shares else {
        sentences.push(format!(
            "How much of each model ends up in the result depends on the tensors themselves: `{}` chooses element by element.",
            explanation.method
        ));
        return sentences;
    };
    let restacked = !in_place(&explanation.origins);
    let lone = shares.layers.iter().flatten().all(|layer| layer.iter().filter(|share| **share != 0.0).count() <= 1);
    if !(restacked && lone) {
        sentences.extend(share_sentences(shares, &names));
    }
    sentences.extend(outside_sentences(shares, &names));
    if !shares.fractions {
        sentences.push(
            "The coefficients do not sum to 1 everywhere; shares are spoken of in proportion to their size.".to_owned(),
        );
    }
    sentences
}

/// Where the layers come from, unless each is where it was.
fn origin_sentences(origins: &[LayerOrigin], names: &[&str]) -> Vec<String> {
    if in_place(origins) {
        return Vec::new();
    }
    let clauses: Vec<String> = origins
        .iter()
        .map(|origin| {
            let sources: Vec<String> = origin
                .sources
                .iter()
                .map(|source| format!("{} of {}", range(source.first as usize, source.last as usize), names[source.model]))
                .collect();
            let verb = if origin.sources.len() > 1 { "merge" } else { "are" };
            let (noun, verb) = if origin.first == origin.last { ("layer", singular(verb)) } else { ("layers", verb) };
            format!("{noun} {} {verb} {}", range(origin.first, origin.last), list(&sources))
        })
        .collect();
    if clauses.len() > MAX_ORIGINS {
        let layers = origins.last().map_or(0, |origin| origin.last + 1);
        return vec![format!("The {layers} layers are stacked from {} runs of layers.", origins.len())];
    }
    vec![sentence(&clauses.join("; "))]
}

fn singular(verb: &str) -> &str {
    if verb == "are" { "is" } else { "merges" }
}

fn share_sentences(shares: &Shares, names: &[&str]) -> Vec<String> {
    let shown = shares.shown();
    let prefix = |name: &str| match name {
        "all tensors" => String::new(),
        "the rest" => "in all other tensors ".to_owned(),
        name if shown.len() == 1 => format!("on {name} "),
        name => format!("in `{name}` "),
    };
    shown
        .iter()
        .map(|(name, layers)| sentence(&format!("{}{}", prefix(name), layer_clauses(layers, names))))
        .collect()
}

/// What can be said about the shares of one layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Rules(usize),
    Leads(usize),
    Together(Vec<usize>),
    Equal,
}

fn layer_clauses(layers: &[Option<Vec<f64>>], names: &[&str]) -> String {
    let known: Vec<(usize, Vec<f64>)> = layers
        .iter()
        .enumerate()
        .filter_map(|(layer, shares)| shares.as_ref().map(|shares| (layer, in_proportion(shares))))
        .collect();
    let Some((_, first)) = known.first() else {
        return "there are no layers that shares can be told of".to_owned();
    };
    if known.iter().all(|(_, shares)| same(shares, first)) {
        let subject = if known.len() == layers.len() {
            "every layer".to_owned()
        } else {
            "each of its layers".to_owned()
        };
        return format!("{subject} is {}", mixture(first, names));
    }
    let models: Vec<usize> =
        (0..names.len()).filter(|&model| known.iter().any(|(_, shares)| shares[model] > EXACT)).collect();
    changing_clauses(&known, &models, layers.len(), names)
}

/// Clauses for shares that change from layer to layer: who rules and leads where, where several count alike.
fn changing_clauses(known: &[(usize, Vec<f64>)], models: &[usize], count: usize, names: &[&str]) -> String {
    let standings: Vec<(usize, Standing, &[f64])> =
        known.iter().map(|(layer, shares)| (*layer, standing(shares, models), shares.as_slice())).collect();
    let layers_of = |wanted: &Standing| -> Vec<usize> {
        standings.iter().filter(|(_, standing, _)| standing == wanted).map(|(layer, ..)| *layer).collect()
    };
    let mut clauses = Vec::new();
    for &model in &by_total(known, models) {
        let verbs = [("rules", Standing::Rules(model)), ("leads in", Standing::Leads(model))];
        let parts: Vec<String> = verbs
            .iter()
            .map(|(verb, standing)| (verb, layers_of(standing)))
            .filter(|(_, layers)| !layers.is_empty())
            .map(|(verb, layers)| format!("{verb} {}", layers_in_words(&layers)))
            .collect();
        if !parts.is_empty() {
            clauses.push(format!("{} {}", names[model], parts.join(" and ")));
        }
    }
    let mut alike: Vec<Standing> = standings.iter().map(|(_, standing, _)| standing.clone()).collect();
    alike.sort();
    alike.dedup();
    for standing in alike {
        let group = match &standing {
            Standing::Together(group) => group.as_slice(),
            Standing::Equal => models,
            Standing::Rules(_) | Standing::Leads(_) => continue,
        };
        let shares = standings.iter().filter(|(_, candidate, _)| *candidate == standing).map(|(.., shares)| *shares);
        clauses.push(alike_clause(&layers_of(&standing), shares, group, standing == Standing::Equal, count, names));
    }
    clauses.join("; ")
}

/// `in the middle (layers 9–14) both count about equally`.
fn alike_clause<'a>(
    layers: &[usize],
    shares: impl Iterator<Item = &'a [f64]>,
    group: &[usize],
    all: bool,
    count: usize,
    names: &[&str],
) -> String {
    let place = match runs(layers).as_slice() {
        [(first, last)] if is_middle(*first, *last, count) => format!("in the middle ({})", layers_in_words(layers)),
        _ => format!("in {}", layers_in_words(layers)),
    };
    let who = match (all, group.len()) {
        (true, 2) => "both".to_owned(),
        (true, number) => format!("all {number}"),
        (false, _) => list(&group.iter().map(|&model| names[model]).collect::<Vec<_>>()),
    };
    let exact = shares.into_iter().all(|shares| spread(shares, group) < EXACT);
    let how = match (all, exact) {
        (true, true) => "count equally",
        (true, false) => "count about equally",
        (false, _) => "lead together",
    };
    format!("{place} {who} {how}")
}

/// A run around the centre that leaves layers on both sides.
fn is_middle(first: usize, last: usize, count: usize) -> bool {
    first > 0 && last + 1 < count && (first + last).abs_diff(count - 1) * 5 <= count
}

fn standing(shares: &[f64], models: &[usize]) -> Standing {
    let top = models.iter().copied().max_by(|&a, &b| shares[a].total_cmp(&shares[b]).then(b.cmp(&a)));
    let Some(top) = top else {
        return Standing::Equal;
    };
    let tolerance = EQUAL / models.len() as f64 + 1e-9;
    if shares[top] >= RULES - 1e-9 {
        return Standing::Rules(top);
    }
    let near: Vec<usize> = models.iter().copied().filter(|&model| shares[top] - shares[model] <= tolerance).collect();
    match near.len() {
        1 => Standing::Leads(top),
        all if all == models.len() => Standing::Equal,
        _ => Standing::Together(near),
    }
}

fn spread(shares: &[f64], models: &[usize]) -> f64 {
    let values = || models.iter().map(|&model| shares[model]);
    values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)
}

/// Models by their sum over the layers, the largest first.
fn by_total(known: &[(usize, Vec<f64>)], models: &[usize]) -> Vec<usize> {
    let total = |model: usize| known.iter().map(|(_, shares)| shares[model]).sum::<f64>();
    let mut order = models.to_vec();
    order.sort_by(|&a, &b| total(b).total_cmp(&total(a)));
    order
}

fn outside_sentences(shares: &Shares, names: &[&str]) -> Vec<String> {
    let clauses: Vec<String> = shares
        .outside
        .iter()
        .map(|outside| {
            let plural = outside.parts.len() > 1 || outside.parts == ["embeddings"];
            let verb = if plural { "are" } else { "is" };
            format!("{} {verb} {}", parts_in_words(&outside.parts), mixture(&in_proportion(&outside.shares), names))
        })
        .collect();
    if clauses.is_empty() { Vec::new() } else { vec![sentence(&format!("outside of the layers, {}", clauses.join("; ")))] }
}

/// `A alone`, `60 % A and 40 % B`, `A and B in equal parts`.
fn mixture(shares: &[f64], names: &[&str]) -> String {
    let mut present: Vec<usize> = (0..names.len()).filter(|&model| shares[model] != 0.0).collect();
    present.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
    let named = |models: &[usize]| models.iter().map(|&model| names[model]).collect::<Vec<_>>();
    match present.as_slice() {
        [] => "zero".to_owned(),
        [only] => format!("{} alone", names[*only]),
        [first, rest @ ..] if rest.iter().all(|&model| (shares[model] - shares[*first]).abs() < 1e-9) => {
            format!("{} in equal parts", list(&named(&present)))
        }
        models => list(&models.iter().map(|&model| format!("{} {}", percent(shares[model]), names[model])).collect::<Vec<_>>()),
    }
}

/// Each share as a part of the sum of their sizes.
pub(super) fn in_proportion(shares: &[f64]) -> Vec<f64> {
    let total: f64 = shares.iter().map(|share| share.abs()).sum();
    if total > 0.0 { shares.iter().map(|share| share / total).collect() } else { shares.to_vec() }
}

/// `25 %`; with a decimal where that is needed to tell it from 0 and 100.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let rounded = percent.round();
    if (percent - rounded).abs() > 0.05 && (rounded == 0.0 || rounded == 100.0) {
        format!("{percent:.1} %")
    } else {
        format!("{rounded:.0} %")
    }
}

/// `a, b and c`.
fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// With a full stop, and a capital unless it begins with a model's name (which is kept as it is).
fn sentence(text: &str) -> String {
    const OPENINGS: &[&str] = &["every ", "each ", "in ", "on ", "outside ", "layer ", "layers ", "there "];
    let capital = OPENINGS.iter().any(|opening| text.starts_with(opening));
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if capital => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        _ => format!("{text}."),
    }
}

//! The explanation in sentences.

#![expect(
    clippy::format_push_string,
    reason = "text is put together once; `write!` would only add a result to drop"
)]

use super::explanation::AVERAGE;
use super::kinds::quoted;
use super::layer_origins::in_place;
use super::layer_ranges::{layers_in_words, range, runs};
use super::numbers::{in_proportion, number_text, percent};
use super::outside_parts::parts_in_words;
use super::shares::{are_fractions, same};
use super::{Explanation, LayerOrigin, OutsideShare, Shares};

/// A model with at least this share of a layer dominates it.
const DOMINATES: f64 = 0.85;

/// Models contribute about equally when the largest and the smallest share are no further apart than this, divided by their
/// number: 62 % and 38 % of two, 43 % and 27 % of three.
const EQUAL: f64 = 0.5;

/// Shares this near are spoken of as equal without "about": half a percentage point.
const EXACT: f64 = 0.005;

/// At most this many different mixtures of models are listed with their percentages.
const MAX_MIXTURES: usize = 4;

/// More origins than this are left to the table.
const MAX_ORIGINS: usize = 6;

/// All sentences about a plan.
pub(super) fn sentences(explanation: &Explanation) -> Vec<String> {
    let names: Vec<String> = explanation
        .models
        .iter()
        .map(|model| format!("`{}`", model.name.replace('`', "'")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut sentences = origin_sentences(&explanation.origins, &names);
    let Some(shares) = &explanation.shares else {
        sentences.push(format!(
            "The contribution of each model depends on the tensors: `{}` selects element by element.",
            explanation.method
        ));
        return sentences;
    };
    if explanation.layers > 0 && !explanation.is_stack() {
        sentences.extend(share_sentences(shares, &names));
    }
    sentences.extend(outside_sentences(shares, &names));
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
                .map(|source| {
                    let noun = if source.first == source.last {
                        "layer"
                    } else {
                        "layers"
                    };
                    format!(
                        "{noun} {} of {}",
                        range(source.first as usize, source.last as usize),
                        names[source.model]
                    )
                })
                .collect();
            let verb = if origin.sources.len() > 1 {
                "merge"
            } else {
                "are"
            };
            let (noun, verb) = if origin.first == origin.last {
                ("layer", singular(verb))
            } else {
                ("layers", verb)
            };
            format!(
                "{noun} {} {verb} {}",
                range(origin.first, origin.last),
                list(&sources)
            )
        })
        .collect();
    if clauses.len() > MAX_ORIGINS {
        let layers = origins.last().map_or(0, |origin| origin.last + 1);
        return vec![format!(
            "The {layers} layers are stacked from {} ranges of layers.",
            origins.len()
        )];
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
        "the rest" => "in all other tensors, ".to_owned(),
        AVERAGE => "on average over all tensors, ".to_owned(),
        name => format!("in {}, ", quoted(name)),
    };
    shown
        .iter()
        .map(|(name, layers)| {
            sentence(&format!("{}{}", prefix(name), layer_clauses(layers, names)))
        })
        .collect()
}

/// What can be said about the shares of one layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Dominates(usize),
    Leads(usize),
    Together(Vec<usize>),
    Equal,
}

fn layer_clauses(layers: &[Option<Vec<f64>>], names: &[&str]) -> String {
    let mut known: Vec<(usize, Vec<f64>)> = layers
        .iter()
        .enumerate()
        .filter_map(|(layer, shares)| Some((layer, shares.clone()?)))
        .collect();
    let Some((_, first)) = known.first() else {
        return "no layers have known shares".to_owned();
    };
    if known.iter().all(|(_, shares)| same(shares, first)) {
        let subject = if known.len() == layers.len() {
            "every layer".to_owned()
        } else {
            "each of its layers".to_owned()
        };
        return format!("{subject} {}", made_of(first, names, false));
    }
    if let Some(clauses) = mixture_clauses(&known, names) {
        return clauses;
    }
    for (_, shares) in &mut known {
        *shares = in_proportion(shares);
    }
    let models: Vec<usize> = (0..names.len())
        .filter(|&model| known.iter().any(|(_, shares)| shares[model] > EXACT))
        .collect();
    changing_clauses(&known, &models, layers.len(), names)
}

/// Every mixture with its layers, if there are few: `layers 0 and 5 come from A alone; layers 1–4 are 60 % A and 40 % B`.
fn mixture_clauses(known: &[(usize, Vec<f64>)], names: &[&str]) -> Option<String> {
    let mut mixtures: Vec<(&[f64], Vec<usize>)> = Vec::new();
    for (layer, shares) in known {
        if !are_fractions(shares) {
            return None;
        }
        let is_full = mixtures.len() == MAX_MIXTURES;
        match mixtures.iter_mut().find(|(other, _)| same(other, shares)) {
            Some((_, layers)) => layers.push(*layer),
            None if is_full => return None,
            None => mixtures.push((shares, vec![*layer])),
        }
    }
    let clause = |(shares, layers): &(&[f64], Vec<usize>)| {
        let made_of = made_of(shares, names, layers.len() > 1);
        format!("{} {made_of}", layers_in_words(layers))
    };
    let clauses: Vec<String> = mixtures.iter().map(clause).collect();
    Some(clauses.join("; "))
}

/// `comes from A alone`, `are 60 % A and 40 % B`.
fn made_of(shares: &[f64], names: &[&str], plural: bool) -> String {
    let is_single =
        are_fractions(shares) && shares.iter().filter(|share| **share != 0.0).count() == 1;
    let verb = match (is_single, plural) {
        (true, true) => "come from",
        (true, false) => "comes from",
        (false, true) => "are",
        (false, false) => "is",
    };
    format!("{verb} {}", mixture(shares, names))
}

/// Clauses for shares that change from layer to layer: which models dominate and lead which layers, and where several are alike.
fn changing_clauses(
    known: &[(usize, Vec<f64>)],
    models: &[usize],
    count: usize,
    names: &[&str],
) -> String {
    let standings: Vec<(usize, Standing, &[f64])> = known
        .iter()
        .map(|(layer, shares)| (*layer, standing(shares, models), shares.as_slice()))
        .collect();
    let layers_of = |wanted: &Standing| -> Vec<usize> {
        standings
            .iter()
            .filter(|(_, standing, _)| standing == wanted)
            .map(|(layer, ..)| *layer)
            .collect()
    };
    let mut rulers: Vec<(Option<usize>, String)> = Vec::new();
    for &model in models {
        let verbs = [
            ("dominates", Standing::Dominates(model)),
            ("leads in", Standing::Leads(model)),
        ];
        let parts: Vec<String> = verbs
            .iter()
            .map(|(verb, standing)| (verb, layers_of(standing)))
            .filter(|(_, layers)| !layers.is_empty())
            .map(|(verb, layers)| format!("{verb} {}", layers_in_words(&layers)))
            .collect();
        if !parts.is_empty() {
            let first = standings
                .iter()
                .position(|(_, standing, _)| verbs.iter().any(|(_, verb)| verb == standing));
            rulers.push((first, format!("{} {}", names[model], parts.join(" and "))));
        }
    }
    rulers.sort();
    let mut clauses: Vec<String> = rulers.into_iter().map(|(_, clause)| clause).collect();
    let mut alike: Vec<Standing> = standings
        .iter()
        .map(|(_, standing, _)| standing.clone())
        .collect();
    alike.sort();
    alike.dedup();
    for standing in alike {
        let group = match &standing {
            Standing::Together(group) => group.as_slice(),
            Standing::Equal => models,
            Standing::Dominates(_) | Standing::Leads(_) => continue,
        };
        let shares = standings
            .iter()
            .filter(|(_, candidate, _)| *candidate == standing)
            .map(|(.., shares)| *shares);
        clauses.push(alike_clause(
            &layers_of(&standing),
            shares,
            group,
            standing == Standing::Equal,
            count,
            names,
        ));
    }
    clauses.join("; ")
}

/// `in the middle (layers 9–14) both contribute about equally`.
fn alike_clause<'a>(
    layers: &[usize],
    shares: impl Iterator<Item = &'a [f64]>,
    group: &[usize],
    all: bool,
    count: usize,
    names: &[&str],
) -> String {
    let place = match runs(layers).as_slice() {
        [(first, last)] if is_middle(*first, *last, count) => {
            format!("in the middle ({})", layers_in_words(layers))
        }
        _ => format!("in {}", layers_in_words(layers)),
    };
    let who = match (all, group.len()) {
        (true, 2) => "both".to_owned(),
        (true, number) => format!("all {number}"),
        (false, _) => list(&group.iter().map(|&model| names[model]).collect::<Vec<_>>()),
    };
    let exact = shares
        .into_iter()
        .all(|shares| spread(shares, group) < EXACT);
    let how = match (all, exact) {
        (true, true) => "contribute equally",
        (true, false) => "contribute about equally",
        (false, _) => "lead together",
    };
    format!("{place} {who} {how}")
}

/// A run around the centre that leaves layers on both sides.
fn is_middle(first: usize, last: usize, count: usize) -> bool {
    first > 0 && last + 1 < count && (first + last).abs_diff(count - 1) * 5 <= count
}

fn standing(shares: &[f64], models: &[usize]) -> Standing {
    let top = models
        .iter()
        .copied()
        .max_by(|&a, &b| shares[a].total_cmp(&shares[b]).then(b.cmp(&a)));
    let Some(top) = top else {
        return Standing::Equal;
    };
    let tolerance = EQUAL / models.len() as f64 + 1e-9;
    if shares[top] >= DOMINATES - 1e-9 {
        return Standing::Dominates(top);
    }
    let near: Vec<usize> = models
        .iter()
        .copied()
        .filter(|&model| shares[top] - shares[model] <= tolerance)
        .collect();
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

fn outside_sentences(shares: &Shares, names: &[&str]) -> Vec<String> {
    let clauses: Vec<String> = shares
        .outside
        .iter()
        .map(|outside| {
            let plural = outside.parts.len() > 1 || outside.parts == ["embeddings"];
            format!(
                "{} {}",
                parts_in_words(&outside.parts),
                made_of(&outside.shares, names, plural)
            )
        })
        .collect();
    let names_module = |shares: &OutsideShare| {
        let first = shares.parts.first();
        first.is_some_and(|part| part.contains('.'))
    };
    match shares.outside.first() {
        None => Vec::new(),
        Some(first) if names_module(first) => {
            vec![format!("Outside the layers, {}.", clauses.join("; "))]
        }
        Some(_) => vec![sentence(&clauses.join("; "))],
    }
}

/// `A alone`, `60 % A and 40 % B`, `A and B in equal parts`; `1 × A − 0.5 × B` for coefficients that are no fractions.
fn mixture(shares: &[f64], names: &[&str]) -> String {
    if !are_fractions(shares) {
        return combination(shares, names);
    }
    let mut present: Vec<usize> = (0..names.len())
        .filter(|&model| shares[model] != 0.0)
        .collect();
    present.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
    let named = |models: &[usize]| models.iter().map(|&model| names[model]).collect::<Vec<_>>();
    match present.as_slice() {
        [] => "zero".to_owned(),
        [only] => format!("{} alone", names[*only]),
        [first, rest @ ..]
            if rest
                .iter()
                .all(|&model| (shares[model] - shares[*first]).abs() < 1e-9) =>
        {
            format!("{} in equal parts", list(&named(&present)))
        }
        models => list(
            &models
                .iter()
                .map(|&model| format!("{} {}", percent(shares[model]), names[model]))
                .collect::<Vec<_>>(),
        ),
    }
}

fn combination(coefficients: &[f64], names: &[&str]) -> String {
    let mut text = String::new();
    for (coefficient, name) in coefficients
        .iter()
        .zip(names)
        .filter(|(coefficient, _)| **coefficient != 0.0)
    {
        text += match (text.is_empty(), *coefficient < 0.0) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        };
        text += &format!("{} × {name}", number_text(coefficient.abs()));
    }
    if text.is_empty() {
        "zero".to_owned()
    } else {
        text
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

/// With a capital and a full stop. A name in backticks at the start stays as it is.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let capital = letters.next().map(char::to_uppercase);
    let capital: String = capital.into_iter().flatten().collect();
    format!("{capital}{}.", letters.as_str())
}

//! Different names for different models: folders in several places may be called the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::models::Model;
use crate::model::LocatedKind;

/// What a model is called, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    label: &'a str,
    kind: &'a LocatedKind,
    path: &'a Path,
}

impl<'a> Named<'a> {
    pub(super) fn of(model: &'a Model) -> Self {
        Self {
            label: &model.label,
            kind: &model.kind,
            path: model.source.origin(),
        }
    }
}

/// Labels of models, those that several have made different: `ckpt (a)` and `ckpt (b)` for `a/ckpt` and `b/ckpt`. The nearest
/// folders that tell all of them apart are named, and numbers where none do.
pub(super) fn distinct(models: &[Named<'_>]) -> Vec<String> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, model) in models.iter().enumerate() {
        groups.entry(model.label).or_default().push(index);
    }
    let mut labels: Vec<String> = models.iter().map(|model| model.label.to_owned()).collect();
    for (label, members) in groups {
        if members.len() > 1 {
            let parents: Vec<Vec<String>> = members
                .iter()
                .map(|index| parents(models[*index]))
                .collect();
            for (number, index) in members.iter().enumerate() {
                let mark = mark(&parents, number);
                labels[*index] = format!("{label} ({mark})");
            }
        }
    }
    labels
}

/// What tells one of several models from the others.
fn mark(parents: &[Vec<String>], number: usize) -> String {
    let deepest = parents.iter().map(Vec::len).min().unwrap_or(0);
    let telling = (0..deepest).find(|level| {
        let names: BTreeSet<&str> = parents
            .iter()
            .map(|parents| parents[*level].as_str())
            .collect();
        names.len() == parents.len()
    });
    match telling {
        Some(level) => parents[number][level].clone(),
        None => (number + 1).to_string(),
    }
}

/// The names of the folders around a model, the nearest first.
fn parents(model: Named<'_>) -> Vec<String> {
    if let LocatedKind::Store { address, .. } = model.kind {
        let path = address.split_once("://").map_or("", |(_, path)| path);
        return path.split('/').rev().skip(1).map(str::to_owned).collect();
    }
    let path = std::path::absolute(model.path).unwrap_or_else(|_| model.path.to_owned());
    let names = |path: &Path| {
        let parts = path.components().rev();
        let names = parts.filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        names.skip(1).collect::<Vec<String>>()
    };
    names(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(folder: &str) -> Named<'_> {
        Named {
            label: folder.rsplit('/').next().unwrap_or_default(),
            kind: &LocatedKind::Local,
            path: Path::new(folder),
        }
    }

    fn labels(folders: &[&str]) -> Vec<String> {
        let models: Vec<Named<'_>> = folders.iter().map(|folder| local(folder)).collect();
        distinct(&models)
    }

    #[test]
    fn folders_of_one_name_are_told_apart_by_those_around_them() {
        assert_eq!(
            labels(&["/a/ckpt", "/b/ckpt", "/c/x"]),
            ["ckpt (a)", "ckpt (b)", "x"]
        );
        assert_eq!(
            labels(&["/one/run/ckpt", "/two/run/ckpt"]),
            ["ckpt (one)", "ckpt (two)"]
        );
        assert_eq!(labels(&["/ckpt", "/b/ckpt"]), ["ckpt (1)", "ckpt (2)"]);
    }

    #[test]
    fn stores_are_told_from_folders() {
        let store = LocatedKind::Store {
            address: "s3://bucket/ckpt".into(),
            version: "1".into(),
        };
        let stored = Named {
            label: "ckpt",
            kind: &store,
            path: Path::new("/cache/9f"),
        };
        let models = [stored, local("/a/ckpt")];
        assert_eq!(distinct(&models), ["ckpt (bucket)", "ckpt (a)"]);
    }
}

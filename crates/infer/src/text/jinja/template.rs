//! A parsed template.

use jiff::ZonedDateTime;
use serde_json::Value as Json;

use super::limits::Meter;
use super::problem::{Problem, Result};
use super::run::Run;
use super::syntax::parse;
use super::value::json::from_json;

pub(super) use super::syntax::Tree;

/// A template, ready to run as often as one likes, on any thread.
#[derive(Debug)]
pub(crate) struct Template {
    pub(super) tree: Tree,
}

impl Template {
    /// Parses a source.
    pub(crate) fn parse(source: &str) -> std::result::Result<Self, Problem> {
        Ok(Self {
            tree: parse(source)?,
        })
    }

    /// Runs it with variables.
    pub(crate) fn render(
        &self,
        variables: &[(&str, &Json)],
        now: Option<&ZonedDateTime>,
    ) -> Result<String> {
        let input = variables.iter().map(|(_, value)| size(value)).sum();
        let mut run = Run::new(self, Meter::new(input), now.cloned());
        for (name, value) in variables {
            let value = from_json(value, &run.heap)?;
            run.define(name, value);
        }
        run.finish()
    }
}

/// About how many bytes a value has.
fn size(json: &Json) -> usize {
    match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(|item| size(item) + 16).sum(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| key.len() + size(value) + 32)
            .sum(),
        _ => 8,
    }
}

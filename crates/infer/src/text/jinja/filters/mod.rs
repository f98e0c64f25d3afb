//! Filters: what stands behind `|`.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the signature of filters"
)]

mod collection;
pub(super) mod markup;
mod number;
pub(super) mod order;
mod select;
mod text;
mod wrap;

use super::problem::Result;
use super::run::Run;
use super::run::arguments::Arguments;
use super::value::Value;

/// A filter.
pub(super) type Filter = fn(&mut Run<'_>, Value, Arguments) -> Result<Value>;

/// A filter by its name.
pub(super) fn filter(name: &str) -> Option<Filter> {
    Some(match name {
        "abs" => number::abs,
        "attr" => select::attr,
        "batch" => collection::batch,
        "capitalize" => text::capitalize,
        "center" => text::center,
        "count" | "length" => collection::length,
        "d" | "default" => select::default,
        "dictsort" => order::dictsort,
        "e" | "escape" => markup::escape,
        "filesizeformat" => number::filesizeformat,
        "first" => collection::first,
        "float" => number::float,
        "forceescape" => markup::forceescape,
        "format" => text::format,
        "groupby" => order::groupby,
        "indent" => wrap::indent,
        "int" => number::int,
        "items" => collection::items,
        "join" => collection::join,
        "last" => collection::last,
        "list" => collection::list,
        "lower" => text::lower,
        "map" => select::map,
        "max" => order::max,
        "min" => order::min,
        "reject" => select::reject,
        "rejectattr" => select::rejectattr,
        "replace" => text::replace,
        "reverse" => collection::reverse,
        "round" => number::round,
        "safe" => markup::safe,
        "select" => select::select,
        "selectattr" => select::selectattr,
        "slice" => collection::slice,
        "sort" => order::sort,
        "string" => text::string,
        "striptags" => markup::striptags,
        "sum" => collection::sum,
        "title" => text::title,
        "tojson" => text::tojson,
        "trim" => text::trim,
        "truncate" => wrap::truncate,
        "unique" => order::unique,
        "upper" => text::upper,
        "urlencode" => markup::urlencode,
        "wordcount" => text::wordcount,
        "wordwrap" => wrap::wordwrap,
        "xmlattr" => markup::xmlattr,
        _ => return None,
    })
}

//! `diff`: how two checkpoints differ.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io::Write as _;

use weightsmith_report::diff::{Difference, Group, Measures, State, TensorDifference};
use weightsmith_session::quantities::{counted, grouped, percent};
use weightsmith_session::{Access, Session};
use weightsmith_tensors::{TensorInfo, TensorSource};

use super::inspect::shape;
use crate::args::DiffArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{HEADING, Printer};
use crate::table::{Align, Table};
use crate::terminal_progress::TerminalProgress;
use crate::{interrupt, settings};

/// Tensors that are listed without `--all`.
const LISTED: usize = 20;

/// Compares and shows.
pub(crate) fn run(args: DiffArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let DiffArgs {
        a,
        b,
        base,
        all,
        json,
        threads,
        transformers_cache,
    } = args;
    let mut names = vec![&a, &b];
    names.extend(&base);
    let session = Session::from_env(transformers_cache);
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    let opened = session.open_all(&names, Access::Download, monitor)?;
    interrupt::listen()?;
    let base_source = opened.get(2);
    let base_source = base_source.map(|base| base.source.as_ref() as &dyn TensorSource);
    let (opened_a, opened_b) = (&opened[0].source, &opened[1].source);
    let (a, b, threads) = (
        opened_a.as_ref(),
        opened_b.as_ref(),
        settings::threads(threads),
    );
    let difference = match Session::compare(a, b, base_source, threads, monitor) {
        Err(error) if error.is_interrupted() => {
            printer.stderr("interrupted");
            return Ok(ExitCode::Interrupted);
        }
        result => result?,
    };
    if json {
        printer.json(&difference)?;
    } else {
        printer
            .data()
            .write_all(text(&difference, all).as_bytes())?;
    }
    if difference
        .summary
        .kinship
        .is_some_and(|kinship| !kinship.siblings)
    {
        printer.warning(
            "these models do not appear to share a base: their weights point in unrelated directions, and merging them would average unrelated numbers",
        );
    }
    Ok(if difference.summary.same {
        ExitCode::Done
    } else {
        ExitCode::NotDone
    })
}

fn text(difference: &Difference, all: bool) -> String {
    let mut text = summary(difference);
    if difference.summary.same {
        return text;
    }
    let has_task = difference.summary.measures.task.is_some();
    let mut tensors: Vec<&TensorDifference> = difference
        .tensors
        .iter()
        .filter(|tensor| tensor.state != State::Same)
        .collect();
    tensors.sort_by(|a, b| most_different(a, b));
    let listed = if all {
        tensors.len()
    } else {
        LISTED.min(tensors.len())
    };
    let mut table = Table::new(&columns("tensor", has_task));
    for tensor in &tensors[..listed] {
        table.row(tensor_row(tensor, has_task));
    }
    let _ = write!(text, "\n{HEADING}Tensors that differ{HEADING:#}");
    if listed < tensors.len() {
        let _ = write!(
            text,
            ", top {listed} of {} (`--all` lists all)",
            tensors.len()
        );
    }
    let _ = write!(text, "\n{}", table.render());
    for (title, groups) in [
        ("Layers", &difference.layers),
        ("Kinds of tensors", &difference.kinds),
    ] {
        let mut table = Table::new(&columns("", has_task));
        for group in groups.iter().filter(|group| group.measures.elements > 0) {
            table.row(group_row(group, has_task));
        }
        if !table.is_empty() {
            let _ = write!(text, "\n{HEADING}{title}{HEADING:#}\n{}", table.render());
        }
    }
    text
}

/// The whole in a few lines.
fn summary(difference: &Difference) -> String {
    let summary = &difference.summary;
    let mut text = String::new();
    let counts = [
        (summary.tensors_same, "same in both"),
        (summary.tensors_different, "different"),
        (summary.tensors_of_two_types, "of two types"),
        (summary.tensors_of_two_shapes, "of two shapes"),
        (summary.tensors_only_in_a, "only in A"),
        (summary.tensors_only_in_b, "only in B"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", grouped(*count as u64)))
        .collect();
    let _ = writeln!(
        text,
        "{}: {}",
        counted(difference.tensors.len(), "tensor"),
        counts.join(", ")
    );
    if summary.same {
        text.push_str("A and B are identical, byte for byte\n");
        return text;
    }
    let measures = &summary.measures;
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:28} {value}");
        }
    };
    line(
        "elements changed",
        Some(format!(
            "{} ({} of {})",
            percent(measures.changed_share),
            grouped(measures.changed),
            grouped(measures.elements)
        )),
    );
    line("largest difference", measures.max_difference.map(number));
    line(
        "difference, relative to A",
        measures.relative_difference.map(number),
    );
    line("cosine of A and B", measures.cosine.map(cosine));
    if measures.non_finite > 0 {
        line(
            "NaN or infinite, ignored",
            Some(grouped(measures.non_finite)),
        );
    }
    if let Some(task) = &measures.task {
        line("A minus base, relative", task.relative_length_a.map(number));
        line("B minus base, relative", task.relative_length_b.map(number));
        line("task-vector cosine", task.cosine.map(cosine));
        line("sign conflicts", Some(percent(task.sign_conflict_share)));
    }
    text
}

fn columns(first: &'static str, has_task: bool) -> Vec<(&'static str, Align)> {
    let mut columns = vec![
        (first, Align::Left),
        ("changed", Align::Right),
        ("largest", Align::Right),
        ("relative", Align::Right),
        ("cosine", Align::Right),
    ];
    if has_task {
        columns.extend([
            ("task-vector cosine", Align::Right),
            ("conflicts", Align::Right),
        ]);
    }
    if first == "tensor" {
        columns.push(("", Align::Left));
    }
    columns
}

fn tensor_row(tensor: &TensorDifference, has_task: bool) -> Vec<String> {
    let mut row = vec![tensor.name.clone()];
    row.extend(cells(tensor.measures.as_ref(), has_task));
    row.push(remark(tensor));
    row
}

fn group_row(group: &Group, has_task: bool) -> Vec<String> {
    let mut row = vec![group.name.clone()];
    row.extend(cells(Some(&group.measures), has_task));
    row
}

fn cells(measures: Option<&Measures>, has_task: bool) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let mut cells = vec![
        text(measures.map(|measures| percent(measures.changed_share))),
        text(
            measures
                .and_then(|measures| measures.max_difference)
                .map(number),
        ),
        text(
            measures
                .and_then(|measures| measures.relative_difference)
                .map(number),
        ),
        text(measures.and_then(|measures| measures.cosine).map(cosine)),
    ];
    if has_task {
        let task = measures.and_then(|measures| measures.task);
        cells.push(text(task.and_then(|task| task.cosine).map(cosine)));
        cells.push(text(task.map(|task| percent(task.sign_conflict_share))));
    }
    cells
}

/// What numbers cannot say of a tensor.
fn remark(tensor: &TensorDifference) -> String {
    let form = |info: &Option<TensorInfo>| {
        info.as_ref().map_or_else(String::new, |info| {
            format!("{} {}", info.dtype, shape(&info.shape))
        })
    };
    let mut remark = match tensor.state {
        State::OnlyInA => format!("only in A: {}", form(&tensor.a)),
        State::OnlyInB => format!("only in B: {}", form(&tensor.b)),
        State::ShapeDiffers | State::TypeDiffers => {
            format!("{}, in B {}", form(&tensor.a), form(&tensor.b))
        }
        State::Different | State::Same => String::new(),
    };
    if let Some(count) = tensor
        .measures
        .map(|measures| measures.non_finite)
        .filter(|count| *count > 0)
    {
        let separator = if remark.is_empty() { "" } else { "; " };
        let _ = write!(remark, "{separator}{} NaN or infinite", grouped(count));
    }
    remark
}

/// What cannot be compared comes first, then the largest relative difference, then the largest share of changed elements.
fn most_different(a: &TensorDifference, b: &TensorDifference) -> Ordering {
    let of = |tensor: &TensorDifference, value: fn(&Measures) -> f64| {
        tensor.measures.as_ref().map_or(f64::INFINITY, value)
    };
    let relative = |measures: &Measures| {
        measures
            .relative_difference
            .unwrap_or(measures.changed_share)
    };
    of(b, relative).total_cmp(&of(a, relative)).then_with(|| {
        of(b, |measures| measures.changed_share)
            .total_cmp(&of(a, |measures| measures.changed_share))
    })
}

/// A number with four significant digits.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&magnitude) {
        let digits = (3 - magnitude.log10().floor() as i32).max(0) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.3e}")
    }
}

/// A cosine with five digits, in which 1 is 1 and nothing else.
fn cosine(value: f64) -> String {
    if (0.999_995..1.0).contains(&value) {
        ">0.99999".to_owned()
    } else {
        format!("{value:.5}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.012_345), "0.01235");
        assert_eq!(number(123.456), "123.5");
        assert_eq!(number(0.000_012_345), "1.234e-5");
    }

    #[test]
    fn nearly_one_is_not_one() {
        assert_eq!(cosine(1.0), "1.00000");
        assert_eq!(cosine(0.999_999_9), ">0.99999");
        assert_eq!(cosine(0.999_99), "0.99999");
        assert_eq!(cosine(-0.5), "-0.50000");
    }
}

//! `'{} and {name}'.format(…)`.

use super::layout;
use super::percent::ascii;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::run::arguments::{Arguments, required};
use crate::text::jinja::run::attribute::{attribute, item};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::text::escape;
use crate::text::jinja::value::{Heap, Text, Value, repr};

/// `text.format(…)`.
pub(in crate::text::jinja) fn format(
    heap: &Heap,
    text: &Text,
    arguments: &Arguments,
) -> Result<Value> {
    let mut filler = Filler {
        heap,
        arguments,
        numbering: Numbering::Unknown,
        safe: text.safe,
    };
    let mut out = Writer::new(heap);
    filler.fill(&text.text, &mut out, 0)?;
    heap.marked(out.text, text.safe)
}

/// `text.format_map(mapping)`.
pub(in crate::text::jinja) fn format_map(
    heap: &Heap,
    text: &Text,
    arguments: Arguments,
) -> Result<Value> {
    let [map] = arguments.bind_positional("format_map")?;
    let Value::Dict(dict) = required(map, "format_map", "a mapping")? else {
        fail!("`format_map` takes a mapping");
    };
    let mut named = Vec::new();
    for entry in dict.iter() {
        if let Value::Text(name) = &entry.key {
            named.push((name.text.clone(), entry.value.clone()));
        }
    }
    let arguments = Arguments {
        positional: Vec::new(),
        named,
    };
    format(heap, text, &arguments)
}

/// Whether places are counted or numbered: not both.
enum Numbering {
    Unknown,
    Counted(usize),
    Given,
}

struct Filler<'h> {
    heap: &'h Heap,
    arguments: &'h Arguments,
    numbering: Numbering,
    safe: bool,
}

impl Filler<'_> {
    fn fill(&mut self, mut rest: &str, out: &mut Writer<'_>, level: usize) -> Result<()> {
        if level > 2 {
            fail!("a format within a format within a format");
        }
        while let Some(place) = rest.find(['{', '}']) {
            self.heap.meter.work(1)?;
            out.push(&rest[..place])?;
            let brace = &rest[place..=place];
            let after = &rest[place + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                out.push(brace)?;
                rest = after;
                continue;
            }
            if brace == "}" {
                fail!("a single `}}` in a format");
            }
            let end = closing(after)?;
            self.field(&after[..end], out, level)?;
            rest = &after[end + 1..];
        }
        out.push(rest)
    }

    /// `name!conversion:spec`.
    fn field(&mut self, field: &str, out: &mut Writer<'_>, level: usize) -> Result<()> {
        let split = field
            .char_indices()
            .scan(0, |brackets, (place, letter)| {
                *brackets += i32::from(letter == '[') - i32::from(letter == ']' && *brackets > 0);
                Some((place, letter, *brackets))
            })
            .find(|(_, letter, brackets)| matches!(letter, '!' | ':') && *brackets == 0);
        let (name, rest) = match split {
            Some((place, ..)) => field.split_at(place),
            None => (field, ""),
        };
        let (conversion, spec) = match rest.strip_prefix('!') {
            Some(rest) => {
                let mut letters = rest.chars();
                let conversion = letters.next();
                match letters.as_str() {
                    "" => (conversion, ""),
                    spec => match spec.strip_prefix(':') {
                        Some(spec) => (conversion, spec),
                        None => fail!("a format without `:` behind its conversion"),
                    },
                }
            }
            None => (None, rest.strip_prefix(':').unwrap_or("")),
        };
        if rest == "!" {
            fail!("a format without its conversion");
        }
        let mut value = self.value(name)?;
        match conversion {
            None => {}
            Some('s') => value = self.heap.text(repr::display(&value, self.heap)?)?,
            Some('r') => value = self.heap.text(repr::repr(&value, self.heap)?)?,
            Some('a') => value = self.heap.text(ascii(&repr::repr(&value, self.heap)?))?,
            Some(other) => fail!("the conversion `!{other}`"),
        }
        let mut inner = Writer::new(self.heap);
        self.fill(spec, &mut inner, level + 1)?;
        let mut text = Writer::new(self.heap);
        layout::write(&value, &inner.text, &mut text)?;
        if self.safe && !matches!(value, Value::Text(Text { safe: true, .. })) {
            return out.push(&escape(&text.text));
        }
        out.push(&text.text)
    }

    /// The value that a field names: `0`, `name`, `name.attribute`, `name[item]`.
    fn value(&mut self, field: &str) -> Result<Value> {
        let end = field.find(['.', '[']).unwrap_or(field.len());
        let (first, mut rest) = field.split_at(end);
        let mut value = self.first(first)?;
        while !rest.is_empty() {
            self.heap.meter.work(1)?;
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    fail!("an empty attribute in a format");
                }
                value = attribute(&value, &after[..end], self.heap)?;
                rest = &after[end..];
                continue;
            }
            let inner = rest
                .strip_prefix('[')
                .and_then(|after| after.split_once(']'));
            let Some((index, after)) = inner.filter(|(index, _)| !index.is_empty()) else {
                fail!("a format with a broken `[…]`");
            };
            let index = match index.parse::<i128>() {
                Ok(number) if index.bytes().all(|byte| byte.is_ascii_digit()) => Value::Int(number),
                _ => self.heap.text(index)?,
            };
            value = item(&value, &index, self.heap)?;
            rest = after;
        }
        Ok(value)
    }

    fn first(&mut self, name: &str) -> Result<Value> {
        let number = if name.is_empty() {
            let next = match self.numbering {
                Numbering::Unknown => 0,
                Numbering::Counted(next) => next,
                Numbering::Given => fail!("a format with counted and with numbered places"),
            };
            self.numbering = Numbering::Counted(next + 1);
            Some(next)
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Numbering::Counted(_) = self.numbering {
                fail!("a format with counted and with numbered places");
            }
            self.numbering = Numbering::Given;
            Some(name.parse().unwrap_or(usize::MAX))
        } else {
            None
        };
        let found = if let Some(place) = number {
            self.arguments.positional.get(place)
        } else {
            let named = &self.arguments.named;
            self.heap.meter.work(named.len() as u64 / 4)?;
            let mut named = named.iter();
            named
                .find(|(known, _)| **known == *name)
                .map(|(_, value)| value)
        };
        found
            .cloned()
            .ok_or_else(|| Problem::new(format!("the format has no value for `{{{name}}}`")))
    }
}

/// Where a field ends, fields in its format passed over.
fn closing(text: &str) -> Result<usize> {
    let mut open = 1;
    for (place, letter) in text.char_indices() {
        match letter {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok(place);
        }
    }
    fail!("a format without its `}}`")
}

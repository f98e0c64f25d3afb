//! Python's values, as far as templates see them.

pub(super) mod bytes;
pub(super) mod compare;
pub(super) mod dict;
pub(super) mod heap;
pub(super) mod json;
pub(super) mod number;
pub(super) mod repr;
pub(super) mod sequence;
pub(super) mod text;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

pub(super) use dict::Dict;
pub(super) use heap::Heap;

use super::functions::Function;
use super::syntax::tree::{For, MacroDef};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// What is not there, with the text of the error when it is used.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Text),
    Bytes(Rc<[u8]>),
    List(Rc<Items>),
    Tuple(Rc<Items>),
    Dict(Rc<Dict>),
    Range(Range),
    View(Rc<Dict>, Part),
    /// What a generator gives: it can be read once.
    Stream(Rc<Stream>),
    Object(Object),
}

/// A text; `safe` when it is markup that needs no escaping.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: Rc<str>,
    pub(super) safe: bool,
}

/// The values of a list or tuple.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) values: Vec<Value>,
    pub(super) depth: u16,
    /// A pair of `groupby`, whose parts have names.
    pub(super) group: bool,
}

/// `range(start, stop, step)`; never longer than Jinja's sandbox allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: i128,
    pub(super) stop: i128,
    pub(super) step: i128,
}

/// What a view of a mapping shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Keys,
    Values,
    Items,
}

/// Values still to be read.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) rest: RefCell<VecDeque<Value>>,
    pub(super) depth: u16,
    /// Python's name of its type.
    pub(super) kind: &'static str,
}

/// Values with a behaviour of their own.
#[derive(Debug, Clone)]
pub(super) enum Object {
    /// `namespace()`, by its place in the heap: it can contain itself, which counted references would never give back.
    Namespace(usize),
    Loop(Rc<Loop>),
    Macro(Rc<Macro>),
    Method(Rc<Method>),
    Function(Function),
    Cycler(Rc<Cycler>),
    Joiner(Rc<Joiner>),
}

/// The variable `loop`.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) items: Rc<Items>,
    pub(super) index: Cell<usize>,
    pub(super) level: usize,
    /// What `changed` was asked last. Emptied when the loop ends, as it may hold the loop itself.
    pub(super) last: RefCell<Option<Vec<Value>>>,
    /// What a recursive loop runs again, and in which scope.
    pub(super) again: Option<(Arc<For>, usize)>,
}

/// A macro or the body of a `call` block, with the scope that it sees.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) def: Arc<MacroDef>,
    pub(super) scope: usize,
}

/// A method of a value.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) of: Value,
    pub(super) name: &'static str,
}

/// `cycler(…)`.
#[derive(Debug)]
pub(super) struct Cycler {
    pub(super) items: Rc<Items>,
    pub(super) index: Cell<usize>,
}

/// `joiner(…)`.
#[derive(Debug)]
pub(super) struct Joiner {
    pub(super) separator: Value,
    pub(super) used: Cell<bool>,
}

impl Value {
    /// An undefined value with the text of its error.
    pub(super) fn undefined(text: impl AsRef<str>) -> Self {
        Self::Undefined(text.as_ref().into())
    }

    /// A short text of our own; others are made by the heap, which counts them.
    pub(super) fn literal(text: &str) -> Self {
        Self::Text(Text {
            text: text.into(),
            safe: false,
        })
    }

    /// Its text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// A whole number; booleans are numbers to Python.
    pub(super) fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(int) => Some(*int),
            Self::Bool(flag) => Some(i128::from(*flag)),
            _ => None,
        }
    }

    /// Whether it is not there.
    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// `bool(value)`.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(flag) => *flag,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.values.is_empty(),
            Self::Dict(dict) | Self::View(dict, _) => dict.len() > 0,
            Self::Range(range) => range.len() > 0,
            Self::Stream(_) | Self::Object(_) => true,
        }
    }

    /// Levels of values within it, itself included.
    pub(super) fn depth(&self) -> u16 {
        match self {
            Self::List(items) | Self::Tuple(items) => items.depth,
            Self::Dict(dict) | Self::View(dict, _) => dict.depth(),
            Self::Stream(stream) => stream.depth,
            Self::Object(Object::Method(method)) => method.of.depth() + 1,
            Self::Object(Object::Loop(object)) => object.items.depth + 1,
            Self::Object(Object::Cycler(cycler)) => cycler.items.depth + 1,
            Self::Object(Object::Joiner(joiner)) => joiner.separator.depth() + 1,
            _ => 0,
        }
    }

    /// Python's name of its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(Text { safe: false, .. }) => "str",
            Self::Text(_) => "Markup",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Range(_) => "range",
            Self::View(_, Part::Keys) => "dict_keys",
            Self::View(_, Part::Values) => "dict_values",
            Self::View(_, Part::Items) => "dict_items",
            Self::Stream(stream) => stream.kind,
            Self::Object(object) => match object {
                Object::Namespace(_) => "namespace",
                Object::Loop(_) => "loop",
                Object::Macro(_) => "macro",
                Object::Method(_) => "method",
                Object::Function(_) => "function",
                Object::Cycler(_) => "cycler",
                Object::Joiner(_) => "joiner",
            },
        }
    }
}

impl Range {
    /// How many numbers it has.
    pub(super) fn len(self) -> usize {
        let span = if self.step > 0 {
            self.stop.saturating_sub(self.start)
        } else {
            self.start.saturating_sub(self.stop)
        };
        if span <= 0 {
            return 0;
        }
        let step = self.step.unsigned_abs();
        usize::try_from((span.unsigned_abs() - 1) / step + 1).unwrap_or(usize::MAX)
    }

    /// Whether a number is one of it.
    pub(super) fn contains(self, int: i128) -> bool {
        let (low, high) = if self.step > 0 {
            (self.start, self.stop.saturating_sub(1))
        } else {
            (self.stop.saturating_add(1), self.start)
        };
        (low..=high).contains(&int)
            && int
                .checked_sub(self.start)
                .is_some_and(|distance| distance % self.step == 0)
    }

    /// One of its numbers.
    pub(super) fn get(self, index: usize) -> Value {
        Value::Int(self.start + self.step * index as i128)
    }
}

//! Where values are made and counted.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Dict, Items, Stream, Text, Value};
use crate::text::jinja::limits::{MAX_DEPTH, Meter};
use crate::text::jinja::problem::{Result, fail};

/// What a value costs beside its content.
const HEADER: usize = 48;

/// The values of a run: what they cost, and the namespaces.
#[derive(Debug)]
pub(crate) struct Heap {
    pub(in crate::text::jinja) meter: Meter,
    pub(in crate::text::jinja) namespaces: RefCell<Vec<Dict>>,
}

impl Heap {
    pub(in crate::text::jinja) fn new(meter: Meter) -> Self {
        Self {
            meter,
            namespaces: RefCell::default(),
        }
    }

    /// A text.
    pub(in crate::text::jinja) fn text(&self, text: impl AsRef<str>) -> Result<Value> {
        self.marked(text, false)
    }

    /// A text that may be markup.
    pub(in crate::text::jinja) fn marked(
        &self,
        text: impl AsRef<str>,
        safe: bool,
    ) -> Result<Value> {
        let text = text.as_ref();
        self.meter.make(text.len() + HEADER)?;
        Ok(Value::Text(Text {
            text: text.into(),
            safe,
        }))
    }

    /// A list.
    pub(in crate::text::jinja) fn list(&self, values: Vec<Value>) -> Result<Value> {
        Ok(Value::List(self.items(values)?))
    }

    /// A tuple.
    pub(in crate::text::jinja) fn tuple(&self, values: Vec<Value>) -> Result<Value> {
        Ok(Value::Tuple(self.items(values)?))
    }

    /// A pair of `groupby`.
    pub(in crate::text::jinja) fn group(&self, key: Value, members: Value) -> Result<Value> {
        let depth = self.depth([&key, &members])?;
        self.meter.make(HEADER + 2 * size_of::<Value>())?;
        Ok(Value::Tuple(Rc::new(Items {
            values: vec![key, members],
            depth,
            group: true,
        })))
    }

    /// The values of a list or tuple.
    pub(in crate::text::jinja) fn items(&self, values: Vec<Value>) -> Result<Rc<Items>> {
        let depth = self.depth(&values)?;
        self.meter
            .make(HEADER + values.len() * size_of::<Value>())?;
        Ok(Rc::new(Items {
            values,
            depth,
            group: false,
        }))
    }

    /// What a generator gives.
    pub(in crate::text::jinja) fn stream(
        &self,
        values: Vec<Value>,
        kind: &'static str,
    ) -> Result<Value> {
        let depth = self.depth(&values)?;
        self.meter
            .make(HEADER + values.len() * size_of::<Value>())?;
        Ok(Value::Stream(Rc::new(Stream {
            rest: RefCell::new(values.into()),
            depth,
            kind,
        })))
    }

    /// A mapping, whose entries were counted when they came.
    #[allow(clippy::unused_self, reason = "values are made by the heap")]
    pub(in crate::text::jinja) fn dict(&self, dict: Dict) -> Value {
        Value::Dict(Rc::new(dict))
    }

    /// Before a list of so many values is made.
    pub(in crate::text::jinja) fn room(&self, count: usize) -> Result<()> {
        self.meter.fits(count.saturating_mul(size_of::<Value>()))
    }

    /// The level of a value that contains these.
    #[allow(clippy::unused_self, reason = "values are made by the heap")]
    pub(in crate::text::jinja) fn depth<'v>(
        &self,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Result<u16> {
        let deepest = values.into_iter().map(Value::depth).max().unwrap_or(0);
        if usize::from(deepest) >= MAX_DEPTH {
            fail!("its values are nested more than {MAX_DEPTH} deep");
        }
        Ok(deepest + 1)
    }
}

/// A text that grows, counted as it does.
#[derive(Debug)]
pub(crate) struct Writer<'h> {
    pub(in crate::text::jinja) text: String,
    pub(in crate::text::jinja) heap: &'h Heap,
    /// The namespaces that are being written, by their places: they may contain themselves.
    pub(in crate::text::jinja) within: Vec<usize>,
}

impl<'h> Writer<'h> {
    pub(in crate::text::jinja) fn new(heap: &'h Heap) -> Self {
        Self {
            text: String::new(),
            heap,
            within: Vec::new(),
        }
    }

    pub(in crate::text::jinja) fn push(&mut self, text: &str) -> Result<()> {
        self.heap.meter.fits(self.text.len() + text.len())?;
        self.heap.meter.read(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    /// A text several times.
    pub(in crate::text::jinja) fn repeat(&mut self, text: &str, times: usize) -> Result<()> {
        let bytes = text.len().saturating_mul(times);
        self.heap
            .meter
            .fits(self.text.len().saturating_add(bytes))?;
        self.heap.meter.read(bytes)?;
        self.text.extend(std::iter::repeat_n(text, times));
        Ok(())
    }

    pub(in crate::text::jinja) fn finish(self) -> Result<Value> {
        self.heap.text(self.text)
    }
}

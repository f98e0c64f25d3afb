//! Mappings in the order of their making.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Heap, Object, Value};
use crate::text::jinja::problem::{Result, fail};

/// Mappings of so few entries are searched from the front.
const SMALL: usize = 8;

/// What decides whether two keys are the same: `1`, `1.0` and `true` are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::text::jinja) enum Key {
    Undefined,
    None,
    Int(i128),
    Float(u64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    Tuple(Vec<Key>),
    Object(usize),
}

impl Key {
    /// The key of a value.
    pub(in crate::text::jinja) fn of(value: &Value, heap: &Heap) -> Result<Self> {
        heap.meter.work(4)?;
        Ok(match value {
            Value::Undefined(_) => Self::Undefined,
            Value::None => Self::None,
            Value::Bool(flag) => Self::Int(i128::from(*flag)),
            Value::Int(int) => Self::Int(*int),
            Value::Float(float) if float.fract() == 0.0 && float.abs() < 1e30 => {
                Self::Int(*float as i128)
            }
            Value::Float(float) => Self::Float(float.to_bits()),
            Value::Text(text) => Self::Text(text.text.clone()),
            Value::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Value::Tuple(items) => {
                heap.meter.make(items.values.len() * size_of::<Self>())?;
                let parts: Result<Vec<_>> = items
                    .values
                    .iter()
                    .map(|part| Self::of(part, heap))
                    .collect();
                Self::Tuple(parts?)
            }
            Value::Range(range) => Self::Tuple(vec![
                Self::Int(range.start),
                Self::Int(range.stop),
                Self::Int(range.step),
            ]),
            Value::Stream(stream) => Self::Object(Rc::as_ptr(stream).addr()),
            Value::Object(object) => Self::Object(match object {
                Object::Namespace(place) => *place,
                Object::Loop(object) => Rc::as_ptr(object).addr(),
                Object::Macro(object) => Rc::as_ptr(object).addr(),
                Object::Method(object) => Rc::as_ptr(object).addr(),
                Object::Cycler(object) => Rc::as_ptr(object).addr(),
                Object::Joiner(object) => Rc::as_ptr(object).addr(),
                Object::Function(function) => *function as usize,
            }),
            Value::List(_) | Value::Dict(_) | Value::View(..) => {
                fail!("unhashable type: `{}`", value.kind())
            }
        })
    }
}

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub(in crate::text::jinja) struct Entry {
    id: Key,
    pub(in crate::text::jinja) key: Value,
    pub(in crate::text::jinja) value: Value,
}

/// A mapping.
#[derive(Debug, Clone, Default)]
pub(in crate::text::jinja) struct Dict {
    entries: Vec<Entry>,
    places: HashMap<Key, usize>,
    depth: u16,
}

impl Dict {
    pub(in crate::text::jinja) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(in crate::text::jinja) fn depth(&self) -> u16 {
        self.depth.max(1)
    }

    pub(in crate::text::jinja) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Sets an entry; a known key keeps its place.
    pub(in crate::text::jinja) fn insert(
        &mut self,
        key: Value,
        value: Value,
        heap: &Heap,
    ) -> Result<()> {
        let id = Key::of(&key, heap)?;
        self.depth = self.depth.max(heap.depth([&key, &value])?);
        if let Some(place) = self.place(&id) {
            self.entries[place].value = value;
            return Ok(());
        }
        heap.room(3 * (self.entries.len() + 1))?;
        heap.meter.make(3 * size_of::<Value>())?;
        if self.entries.len() == SMALL {
            for (place, entry) in self.entries.iter().enumerate() {
                self.places.insert(entry.id.clone(), place);
            }
        }
        if self.entries.len() >= SMALL {
            self.places.insert(id.clone(), self.entries.len());
        }
        self.entries.push(Entry { id, key, value });
        Ok(())
    }

    /// The value of a key.
    pub(in crate::text::jinja) fn get(&self, key: &Value, heap: &Heap) -> Result<Option<&Value>> {
        let id = Key::of(key, heap)?;
        Ok(self.place(&id).map(|place| &self.entries[place].value))
    }

    /// The value of a text.
    pub(in crate::text::jinja) fn get_text(&self, key: &str) -> Option<&Value> {
        if self.entries.len() > SMALL {
            let place = *self.places.get(&Key::Text(key.into()))?;
            return Some(&self.entries[place].value);
        }
        self.entries
            .iter()
            .find(|entry| matches!(&entry.id, Key::Text(text) if &**text == key))
            .map(|entry| &entry.value)
    }

    fn place(&self, id: &Key) -> Option<usize> {
        if self.entries.len() > SMALL {
            return self.places.get(id).copied();
        }
        self.entries.iter().position(|entry| entry.id == *id)
    }
}

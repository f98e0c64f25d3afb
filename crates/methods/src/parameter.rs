//! Typed handles of parameters: one constant both declares a parameter and reads its value.
//!
//! A method lists its handles in [`MethodSpec::parameters`](crate::MethodSpec::parameters) and reads them from an [`Operation`], so that a
//! misspelt name or a wrong type does not compile.

use std::fmt;
use std::marker::PhantomData;

use crate::{Default, Kind, Operation, ParameterSpec, Scope, Value};

/// A parameter with values of the type `V`, which belong to `S`.
pub struct Parameter<V: ParameterType + ?Sized, S> {
    spec: ParameterSpec,
    types: PhantomData<fn(&V, S)>,
}

/// A parameter of the whole merge.
pub type Global<V> = Parameter<V, WholeMerge>;

/// A parameter that each model has.
pub type PerModel<V> = Parameter<V, EachModel>;

/// See [`Scope::Global`].
#[derive(Debug)]
pub enum WholeMerge {}

/// See [`Scope::Model`].
#[derive(Debug)]
pub enum EachModel {}

/// Whom a handle's values belong to.
pub trait ParameterScope {
    /// The same for specifications.
    const SCOPE: Scope;
}

impl ParameterScope for WholeMerge {
    const SCOPE: Scope = Scope::Global;
}

impl ParameterScope for EachModel {
    const SCOPE: Scope = Scope::Model;
}

/// What a parameter is read as: a number, a switch, a text, or one of them that need not be set.
pub trait ParameterType {
    /// The same for specifications.
    const KIND: Kind;

    /// What reading gives.
    type Out<'a>;

    /// The value, if it is of this type.
    fn read(value: Option<&Value>) -> Option<Self::Out<'_>>;
}

impl ParameterType for f64 {
    const KIND: Kind = Kind::Number;

    type Out<'a> = f64;

    fn read(value: Option<&Value>) -> Option<f64> {
        value?.as_number()
    }
}

impl ParameterType for bool {
    const KIND: Kind = Kind::Bool;

    type Out<'a> = bool;

    fn read(value: Option<&Value>) -> Option<bool> {
        match value? {
            Value::Bool(on) => Some(*on),
            _ => None,
        }
    }
}

impl ParameterType for str {
    const KIND: Kind = Kind::Text;

    type Out<'a> = &'a str;

    fn read(value: Option<&Value>) -> Option<&str> {
        match value? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<V: ParameterType> ParameterType for Option<V> {
    const KIND: Kind = V::KIND;

    type Out<'a> = Option<V::Out<'a>>;

    fn read(value: Option<&Value>) -> Option<Self::Out<'_>> {
        match value {
            None => Some(None),
            Some(_) => V::read(value).map(Some),
        }
    }
}

impl<V: ParameterType + ?Sized, S: ParameterScope> Parameter<V, S> {
    const fn new(name: &'static str, default: Default, summary: &'static str) -> Self {
        Self {
            spec: ParameterSpec {
                name,
                scope: S::SCOPE,
                kind: V::KIND,
                default,
                usual: None,
                summary,
            },
            types: PhantomData,
        }
    }

    /// One that the recipe must set.
    pub const fn required(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Default::Required, summary)
    }

    /// The same, whose values usually lie in this range.
    #[must_use]
    pub const fn usual(mut self, low: f64, high: f64) -> Self {
        self.spec.usual = Some((low, high));
        self
    }

    /// What the specification of a method tells of it.
    pub const fn spec(self) -> ParameterSpec {
        self.spec
    }

    /// Its name under `parameters:`.
    pub const fn name(self) -> &'static str {
        self.spec.name
    }
}

impl<S: ParameterScope> Parameter<f64, S> {
    /// A number with a default.
    pub const fn number(name: &'static str, default: f64, summary: &'static str) -> Self {
        Self::new(name, Default::Number(default), summary)
    }
}

impl<S: ParameterScope> Parameter<bool, S> {
    /// A switch with a default.
    pub const fn switch(name: &'static str, default: bool, summary: &'static str) -> Self {
        Self::new(name, Default::Bool(default), summary)
    }

    /// The same with another default, for a relative of the method.
    #[must_use]
    pub const fn by_default(mut self, on: bool) -> Self {
        self.spec.default = Default::Bool(on);
        self
    }
}

impl<S: ParameterScope> Parameter<str, S> {
    /// A text with a default.
    pub const fn text(name: &'static str, default: &'static str, summary: &'static str) -> Self {
        Self::new(name, Default::Text(default), summary)
    }
}

impl<V: ParameterType, S: ParameterScope> Parameter<Option<V>, S> {
    /// One that need not be set, which means something of its own to the method.
    pub const fn optional(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Default::Unset, summary)
    }
}

impl<V: ParameterType + ?Sized, S> Clone for Parameter<V, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V: ParameterType + ?Sized, S> Copy for Parameter<V, S> {}

impl<V: ParameterType + ?Sized, S> fmt::Debug for Parameter<V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parameter").field(&self.spec).finish()
    }
}

impl Operation {
    /// The value of a parameter of the whole merge.
    ///
    /// # Panics
    /// When there is none, which [`MethodSpec::check`](crate::MethodSpec::check) objects to.
    pub fn get<V: ParameterType + ?Sized>(&self, parameter: Global<V>) -> V::Out<'_> {
        #[cfg(test)]
        reads::note(parameter.spec);
        let value = self.parameters.get(parameter.spec.name);
        V::read(value).unwrap_or_else(|| self.lacks(parameter.spec.name))
    }

    /// The value of a parameter for one source.
    ///
    /// # Panics
    /// When there is none, which [`MethodSpec::check`](crate::MethodSpec::check) objects to.
    pub fn of_source<V: ParameterType + ?Sized>(
        &self,
        source: usize,
        parameter: PerModel<V>,
    ) -> V::Out<'_> {
        #[cfg(test)]
        reads::note(parameter.spec);
        let value = self.source_parameters[source].get(parameter.spec.name);
        V::read(value).unwrap_or_else(|| self.lacks(parameter.spec.name))
    }

    fn lacks(&self, name: &str) -> ! {
        panic!(
            "an operation of `{}` has no value for `{name}`",
            self.method
        )
    }
}

/// Which parameters are read, for the test that methods read no others than they declare.
#[cfg(test)]
pub(crate) mod reads {
    use std::cell::RefCell;

    use crate::ParameterSpec;

    thread_local! {
        static READS: RefCell<Vec<ParameterSpec>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(parameter: ParameterSpec) {
        READS.with_borrow_mut(|reads| reads.push(parameter));
    }

    /// Those that this thread has read since it was asked last.
    pub(crate) fn take() -> Vec<ParameterSpec> {
        READS.take()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const METRIC: Global<str> = Global::text("metric", "cosine", "How models are compared.");
    const SCALE: PerModel<Option<f64>> = PerModel::optional("scale", "A factor.");
    const WEIGHT: PerModel<f64> = PerModel::required("weight", "A share.");

    fn operation(own: &[(&str, Value)], of_source: &[(&str, Value)]) -> Operation {
        let map = |values: &[(&str, Value)]| -> BTreeMap<String, Value> {
            let values = values.iter();
            values
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect()
        };
        Operation {
            method: "a".into(),
            sources: Vec::new(),
            base: None,
            parameters: map(own),
            source_parameters: vec![map(of_source)],
        }
    }

    #[test]
    fn values_are_read_as_the_types_of_their_handles() {
        let operation = operation(
            &[("metric", Value::Text("l2".into()))],
            &[("weight", Value::Bool(true))],
        );
        assert_eq!(operation.get(METRIC), "l2");
        assert_eq!(operation.of_source(0, WEIGHT), 1.0);
        assert_eq!(operation.of_source(0, SCALE), None);
    }

    #[test]
    fn handles_declare_what_they_read() {
        let spec = METRIC.spec();
        assert_eq!((spec.scope, spec.kind), (Scope::Global, Kind::Text));
        assert_eq!(spec.default, Default::Text("cosine"));
        let spec = SCALE.usual(0.0, 2.0).spec();
        assert_eq!((spec.scope, spec.kind), (Scope::Model, Kind::Number));
        assert_eq!(
            (spec.default, spec.usual),
            (Default::Unset, Some((0.0, 2.0)))
        );
    }

    #[test]
    #[should_panic(expected = "an operation of `a` has no value for `weight`")]
    fn what_nobody_set_is_not_read_as_something() {
        operation(&[], &[]).of_source(0, WEIGHT);
    }
}

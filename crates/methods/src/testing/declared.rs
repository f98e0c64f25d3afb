//! Methods read the parameters that they declare: all of them, and no others.

use weightsmith_tensors::{Real, TensorInfo};

use super::evaluate::operation;
use crate::parameter::reads;
use crate::{
    BaseRule, Default, Kernel, Kind, METHODS, MethodSpec, Operation, OutputTensor, ParameterSpec,
    Scope, Value,
};

/// An operation of the method whose switches are all on or off and whose numbers without default are `number`; with
/// `overrides`, all numbers are.
fn filled(method: &MethodSpec, on: bool, number: f64, overrides: bool) -> Operation {
    let sources = method.inputs.min.max(2);
    let base = (method.base == BaseRule::Required).then_some(0);
    let mut operation = operation(method.name, sources, base);
    for parameter in method.parameters {
        let value = match (parameter.kind, parameter.default) {
            (Kind::Bool, _) => Value::Bool(on),
            (Kind::Number, Default::Required) => Value::Number(number),
            (Kind::Number, _) if overrides => Value::Number(number),
            _ => continue,
        };
        let own = &mut operation.parameters;
        let of_sources = operation.source_parameters.iter_mut();
        match parameter.scope {
            Scope::Global => drop(own.insert(parameter.name.into(), value)),
            Scope::Model => of_sources.for_each(|values| {
                values.insert(parameter.name.into(), value.clone());
            }),
        }
    }
    operation
}

/// Asks a kernel all that a run does before it reads tensors.
fn begin<T: Real>(kernel: &dyn Kernel<T>) {
    let info = TensorInfo {
        dtype: T::DTYPE,
        shape: vec![3, 5],
    };
    let output = OutputTensor {
        name: "tensor",
        info: &info,
        seed: 0,
        spare: 1 << 20,
    };
    let _ = (kernel.passes(), kernel.memory(&output), kernel.unit());
    let _ = kernel.begin(&output);
}

/// What all functions of a method read from an operation.
fn reads_of(method: &MethodSpec, operation: &Operation) -> Vec<ParameterSpec> {
    reads::take();
    let _ = (method.validate)(operation);
    let _ = ((method.identity)(operation), (method.shares)(operation));
    begin((method.compile.single)(operation).as_ref());
    begin((method.compile.double)(operation).as_ref());
    reads::take()
}

#[test]
fn methods_read_what_they_declare() {
    for method in METHODS {
        let name = method.name;
        let mut unread: Vec<&str> = method.parameters.iter().map(|one| one.name).collect();
        for on in [false, true] {
            for (number, overrides) in [(0.5, false), (0.3, true)] {
                for read in reads_of(method, &filled(method, on, number, overrides)) {
                    let declared = method.parameters.iter().find(|one| one.name == read.name);
                    let declared = declared.map(|one| (one.scope, one.kind));
                    let handle = Some((read.scope, read.kind));
                    assert_eq!(declared, handle, "`{name}` reads `{}`", read.name);
                    unread.retain(|one| *one != read.name);
                }
            }
        }
        assert_eq!(unread, [""; 0], "`{name}` declares what it does not read");
    }
}

#[test]
fn a_parameter_without_value_is_objected_to() {
    for method in METHODS {
        let complete = filled(method, false, 0.2, false);
        method.check(&complete).unwrap_or_else(|objection| {
            panic!("`{}` objects to its defaults: {objection}", method.name)
        });
        for parameter in method.parameters {
            let mut lacking = complete.clone();
            lacking.parameters.remove(parameter.name);
            if parameter.scope == Scope::Model {
                lacking.source_parameters[1].remove(parameter.name);
            }
            let found = method.check(&lacking).map_err(|objection| {
                let source = (parameter.scope == Scope::Model).then_some(1);
                assert_eq!(objection.source, source);
                objection.parameters
            });
            let expected = match parameter.default {
                Default::Unset => Ok(()),
                _ => Err(vec![parameter.name]),
            };
            assert_eq!(found, expected, "`{}`", method.name);
        }
    }
}

#[test]
fn a_text_is_no_number() {
    let slerp = crate::find("slerp").unwrap();
    let mut operation = filled(slerp, false, 0.5, false);
    let text = Value::Text("half".into());
    operation.parameters.insert("t".into(), text);
    let objection = slerp.check(&operation).unwrap_err();
    assert_eq!(objection.to_string(), "`t` is not set");
}

//! Names of tensors that were saved together with a wrapper around the model.

/// Parts that PyTorch's wrappers put into names, wherever the wrapped module is: `torch.compile`, fully sharded training,
/// checkpoints of activations, DeepSpeed. No model has modules of these names.
const INNER: [&str; 4] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
];

/// What `DataParallel` and its like put before every name. It is a plain word, so it counts only where no name is without.
const OUTER: &str = "module";

/// Names without what wrappers put into them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unwrapped {
    /// The names, in the order in which they were given.
    pub(super) names: Vec<String>,
    /// What was taken out of them.
    pub(super) wrappers: Vec<&'static str>,
}

/// The names as the model without its wrappers has them; nothing where there are none.
pub(super) fn unwrapped(names: &[&str]) -> Option<Unwrapped> {
    let mut wrappers: Vec<&'static str> = Vec::new();
    let mut names: Vec<String> = names
        .iter()
        .map(|name| without_inner(name, &mut wrappers))
        .collect();
    let outer = |name: &String| Some(name.strip_prefix(OUTER)?.strip_prefix('.')?.to_owned());
    while let Some(inner) = names.iter().map(outer).collect::<Option<Vec<String>>>()
        && !inner.is_empty()
    {
        names = inner;
        if !wrappers.contains(&OUTER) {
            wrappers.push(OUTER);
        }
    }
    (!wrappers.is_empty()).then_some(Unwrapped { names, wrappers })
}

fn without_inner(name: &str, wrappers: &mut Vec<&'static str>) -> String {
    let parts = name.split('.').filter(|part| {
        let wrapper = INNER.iter().find(|wrapper| *wrapper == part);
        match wrapper {
            Some(wrapper) if !wrappers.contains(wrapper) => wrappers.push(wrapper),
            _ => {}
        }
        wrapper.is_none()
    });
    parts.collect::<Vec<&str>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrappers_add_is_taken_out() {
        let cases: [(&[&str], &[&str], &[&str]); 4] = [
            (
                &["_orig_mod.model.norm.weight", "_orig_mod.lm_head.weight"],
                &["model.norm.weight", "lm_head.weight"],
                &["_orig_mod"],
            ),
            (
                &["module.a", "module.b.module.c"],
                &["a", "b.module.c"],
                &["module"],
            ),
            (
                &["module._orig_mod.module.a", "_orig_mod.module.module.b"],
                &["a", "b"],
                &["_orig_mod", "module"],
            ),
            // layers alone were compiled or wrapped
            (
                &[
                    "model.layers.0._orig_mod.mlp.weight",
                    "model._fsdp_wrapped_module.norm.weight",
                ],
                &["model.layers.0.mlp.weight", "model.norm.weight"],
                &["_orig_mod", "_fsdp_wrapped_module"],
            ),
        ];
        for (names, expected, wrappers) in cases {
            let found = unwrapped(names).unwrap();
            assert_eq!(found.names, expected);
            assert_eq!(found.wrappers, wrappers);
        }
    }

    #[test]
    fn other_names_stay() {
        for names in [
            &[][..],
            &["model.norm.weight"],
            &["module.a", "other.b"],
            &["module_list.a", "modules.b"],
            &["_orig_mod_x.a"],
        ] {
            assert_eq!(unwrapped(names), None, "{names:?}");
        }
    }
}

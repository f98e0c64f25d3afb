//! A recipe for each method that leaves nothing of it out: no coefficient copies an input, all that can be thinned out is.

use std::fmt::Write as _;

use weightsmith::methods::{BaseRule, METHODS, MethodSpec, Scope};

/// A merge of the models `base`, `a`, `b` and so on, as many as the method takes.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    pub(crate) method: &'static MethodSpec,
    /// The base, where there is one.
    pub(crate) base: Option<&'static str>,
    /// The models, including the base where it counts as one of two.
    pub(crate) models: Vec<&'static str>,
    /// Parameters of the whole merge.
    pub(crate) global: Vec<(&'static str, String)>,
    /// Parameters of each model but the base.
    pub(crate) own: Vec<Vec<(&'static str, String)>>,
    pub(crate) dtype: &'static str,
}

impl Merge {
    /// With or without a base where the method leaves the choice.
    pub(crate) fn of(method: &'static MethodSpec, with_base: bool) -> Self {
        let base = match method.base {
            BaseRule::Required => true,
            BaseRule::Optional => with_base,
            BaseRule::Ignored => false,
        };
        let is_pair = base && method.base == BaseRule::Required && method.inputs.max == Some(2);
        let models: &[&str] = match method.inputs.max {
            Some(1) => &["a"],
            Some(_) if is_pair => &["base", "a"],
            Some(_) => &["a", "b"],
            None => &["a", "b", "c"],
        };
        let mut merge = Self {
            method,
            base: base.then_some("base"),
            models: models.to_vec(),
            global: Vec::new(),
            own: vec![Vec::new(); models.len()],
            dtype: "float32",
        };
        for parameter in method.parameters {
            let name = parameter.name;
            match (name, parameter.scope) {
                ("weight", Scope::Model) => merge.each(name, &["0.6", "0.5", "-0.2"]),
                ("density", Scope::Model) => merge.each(name, &["0.5", "0.4", "0.7"]),
                ("gamma", Scope::Model) => merge.each(name, &["0.05"; 3]),
                ("epsilon", Scope::Model) => merge.each(name, &["0.2"; 3]),
                ("scale", Scope::Model) => merge.each(name, &["0.5"]),
                ("t", _) if method.name == "nearswap" => merge.all(name, "0.002"),
                ("t", _) => merge.all(name, "0.3"),
                ("select_topk", _) => merge.all(name, "0.5"),
                ("rescale", _) => merge.all(name, "true"),
                _ => {}
            }
        }
        merge
    }

    /// Gives the models a parameter, the first the first value and so on.
    pub(crate) fn each(&mut self, name: &'static str, values: &[&str]) {
        let base = self.base;
        let models = self.models.iter().zip(&mut self.own);
        let own = models.filter(|(model, _)| Some(**model) != base);
        for ((_, own), value) in own.zip(values) {
            own.retain(|(other, _)| *other != name);
            own.push((name, (*value).to_owned()));
        }
    }

    /// Sets a parameter of the whole merge.
    pub(crate) fn all(&mut self, name: &'static str, value: &str) {
        self.global.retain(|(other, _)| *other != name);
        self.global.push((name, value.to_owned()));
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.all(name, value);
        self
    }

    pub(crate) fn with_each(mut self, name: &'static str, values: &[&str]) -> Self {
        self.each(name, values);
        self
    }

    pub(crate) fn takes(&self, name: &str) -> bool {
        self.method
            .parameters
            .iter()
            .any(|parameter| parameter.name == name)
    }

    /// The method and its switches.
    pub(crate) fn name(&self) -> String {
        format!(
            "{} {:?} {:?} {:?}",
            self.method.name, self.base, self.global, self.own
        )
    }

    /// Every model that is read.
    pub(crate) fn inputs(&self) -> Vec<&'static str> {
        let mut inputs = self.models.clone();
        inputs.extend(self.base.filter(|base| !self.models.contains(base)));
        inputs
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "merge_method: {}\ndtype: {}\n",
            self.method.name, self.dtype
        );
        if let Some(base) = self.base {
            let _ = writeln!(text, "base_model: {base}");
        }
        text += "models:\n";
        for (model, own) in self.models.iter().zip(&self.own) {
            let _ = writeln!(text, "  - model: {model}");
            text += &block(own, "    ");
        }
        text + &block(&self.global, "")
    }
}

fn block(parameters: &[(&str, String)], indent: &str) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        let _ = writeln!(text, "{indent}  {name}: {value}");
    }
    if text.is_empty() {
        text
    } else {
        format!("{indent}parameters:\n{text}")
    }
}

/// Every method, with and without an optional base, and with switches that lead to other arithmetic.
pub(crate) fn every() -> Vec<Merge> {
    let mut all = Vec::new();
    for method in METHODS {
        all.push(Merge::of(method, false));
        if method.base == BaseRule::Optional {
            all.push(Merge::of(method, true));
        }
        let plain = || Merge::of(method, true);
        match method.name {
            "nuslerp" => {
                let rows = plain().with("nuslerp_flatten", "false");
                all.push(rows.clone());
                all.push(rows.with("nuslerp_row_wise", "true"));
            }
            "model_stock" => all.push(plain().with("filter_wise", "true")),
            _ => {}
        }
    }
    all
}

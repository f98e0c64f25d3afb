//! From a recipe's word to a method.

use super::{METHODS, MethodSpec, PLANNED, find};
use crate::recipe::closest;
use crate::{Diagnostic, Spanned};

/// The method that a recipe names, or what is wrong with the name.
pub(crate) fn find_or_explain(
    name: &Spanned<String>,
) -> Result<&'static MethodSpec, Box<Diagnostic>> {
    if let Some(method) = find(&name.value) {
        return Ok(method);
    }
    let ready = || METHODS.iter().map(|method| method.name);
    let listed = || {
        let quoted: Vec<String> = ready().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    if PLANNED.contains(&name.value.as_str()) {
        let message = format!("merge method `{}` is not implemented yet", name.value);
        let hint = format!("implemented are {}", listed());
        return Err(Box::new(Diagnostic::error(message, name.span).hint(hint)));
    }
    let message = format!("unknown merge method `{}`", name.value);
    let hint = match closest(&name.value, ready().chain(PLANNED.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", listed()),
    };
    Err(Box::new(Diagnostic::error(message, name.span).hint(hint)))
}

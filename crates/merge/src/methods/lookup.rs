//! From a recipe's word to a method.

use super::{METHODS, MethodSpec, find};
use crate::recipe::closest;
use crate::{Diagnostic, Spanned};

/// The method that a recipe names, or what is wrong with the name.
pub(crate) fn find_or_explain(
    name: &Spanned<String>,
) -> Result<&'static MethodSpec, Box<Diagnostic>> {
    if let Some(method) = find(&name.value) {
        return Ok(method);
    }
    let names = || METHODS.iter().map(|method| method.name);
    let message = format!("unknown merge method `{}`", name.value);
    let hint = if let Some(near) = closest(&name.value, names()) {
        format!("did you mean `{near}`?")
    } else {
        let quoted: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        format!("expected one of {}", quoted.join(", "))
    };
    Err(Box::new(Diagnostic::error(message, name.span).hint(hint)))
}

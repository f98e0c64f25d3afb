//! Names for models that are to be made.

use weightsmith::output::model_name;

use crate::error::Refusal;
use crate::models::Catalogue;

/// Letters that a method's name may have.
const LONGEST: usize = 40;

/// A name that says how a model is made, and that nobody has.
pub(crate) fn proposed(catalogue: &Catalogue, method: &str) -> Result<String, Refusal> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if method.is_empty() || method.len() > LONGEST || !method.bytes().all(is_plain) {
        let message = format!("`{method}` is not a merge method");
        return Err(Refusal::invalid(message).hint("see `GET /api/methods`"));
    }
    loop {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Refusal::internal(error.to_string()))?;
        let name = model_name(method, &random);
        if catalogue.find(&name).is_none() && !catalogue.place(&name).exists() {
            return Ok(name);
        }
    }
}

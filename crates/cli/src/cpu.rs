//! The instruction set of the arithmetic, where the user chose one.

use weightsmith_tensors::kernels::Isa;

use crate::env_vars;
use crate::failure::Failure;

/// Makes all kernels use what [`env_vars::CPU`] names.
pub(crate) fn choose() -> Result<(), Failure> {
    let Some(name) = std::env::var_os(env_vars::CPU).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let available = Isa::available();
    let chosen = available.iter().find(|isa| name == isa.name());
    if let Some(Ok(())) = chosen.map(|isa| isa.choose()) {
        return Ok(());
    }
    let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
    let found = name.to_string_lossy();
    Err(Failure::usage(format!(
        "`{}` is `{found}`, which this CPU does not support",
        env_vars::CPU
    ))
    .hint(format!("it has {}", names.join(", "))))
}

//! A line of text about an architecture.

use std::fmt;

use super::Architecture;

impl fmt::Display for Architecture {
    /// Such as `qwen2, 24 layers, 12 tensors per layer, 2 loose`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model_type().unwrap_or("unknown family"))?;
        let main = self.main_stack();
        if let Some(stack) = main.map(|main| &self.stacks()[main]) {
            write!(f, ", {}", counted(stack.present, "layer"))?;
            let (fewest, most) = stack.tensors_per_layer;
            if fewest == most {
                write!(f, ", {} per layer", counted(most as u64, "tensor"))?;
            } else {
                write!(f, ", {fewest} to {most} tensors per layer")?;
            }
        }
        for (index, stack) in self.stacks().iter().enumerate() {
            if Some(index) != main {
                write!(
                    f,
                    ", {} under `{}`",
                    counted(stack.present, "layer"),
                    stack.prefix.trim_end_matches('.')
                )?;
            }
        }
        write!(f, ", {} loose", self.loose_tensors())
    }
}

fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

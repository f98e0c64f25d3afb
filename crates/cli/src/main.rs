//! The `weightsmith` command.

fn main() {}

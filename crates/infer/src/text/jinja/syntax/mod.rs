//! From a template's source to its tree.

mod expression;
mod lexer;
mod literal;
mod parser;
mod statement;
pub(super) mod tree;

pub(super) use parser::{Tree, parse};

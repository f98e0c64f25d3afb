//! Recipes with mistakes in models, slices, modules and the tokenizer.

use insta::assert_snapshot;

use super::problems;

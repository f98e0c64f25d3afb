//! Recipes with mistakes at the top level and in parameters.

use insta::assert_snapshot;

use super::problems;

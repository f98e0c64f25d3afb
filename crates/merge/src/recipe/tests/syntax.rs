//! Texts that are not YAML, or YAML that recipes do not use.

use insta::assert_snapshot;

use super::problems;

//! Recipes as people write them.

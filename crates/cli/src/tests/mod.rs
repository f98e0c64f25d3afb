//! Tests of the whole command line.

mod reference_page;

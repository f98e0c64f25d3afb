//! What goes wrong in a template.

/// An error of a template, with the line it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What happened.
    pub(crate) text: String,
    /// Where, counted from 1.
    pub(crate) line: Option<u32>,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            line: None,
        }
    }

    /// Names the line, unless a more precise one is known.
    #[must_use]
    pub(super) fn at(mut self, line: u32) -> Self {
        self.line.get_or_insert(line);
        self
    }
}

pub(super) type Result<T> = std::result::Result<T, Problem>;

/// Returns an error with a formatted text.
macro_rules! fail {
    ($($part:tt)*) => {
        return Err($crate::text::jinja::problem::Problem::new(format!($($part)*)))
    };
}
pub(super) use fail;

//! What the process says to its caller when it ends.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// Done; `check` found no errors, `diff` no difference, `verify` no damage.
    Done,
    /// It could not be done; `diff` found a difference, `verify` found damage.
    NotDone,
    /// The command line or the recipe is wrong.
    Usage,
    /// Ctrl-C or a signal ended it.
    Interrupted,
}

impl ExitCode {
    /// The number that the shell sees.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotDone => 1,
            Self::Usage => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

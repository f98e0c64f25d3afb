//! A line of a chat: something that is said, or a command.

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing.
    Empty,
    /// A turn.
    Say(String),
    /// `/compare`: the last turn, or this one, answered by all models.
    Compare(Option<String>),
    /// `/system`: another system prompt; without text, the template's own.
    System(Option<String>),
    /// `/reset`
    Reset,
    /// `/help`
    Help,
    /// `/quit`
    Quit,
    /// A command that there is none of.
    Unknown(String),
}

/// What `/help` shows.
pub(super) const HELP: &str = "\
  /compare        repeat the last turn with the merge and each of its parents
  /compare TEXT   ask all of them TEXT
  /system TEXT    set the system prompt; without TEXT, restore the model's
  /reset          clear the conversation
  /help           show this help
  /quit           exit; also Ctrl-D, or Ctrl-C twice
Ctrl-C stops an answer. Start with // to send a message beginning with /.";

impl Line {
    /// Reads a line.
    pub(super) fn parse(line: &str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Empty;
        }
        let Some(command) = line.strip_prefix('/') else {
            return Self::Say(line.to_owned());
        };
        if command.starts_with('/') {
            return Self::Say(command.to_owned());
        }
        let (name, text) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match name {
            "compare" => Self::Compare(text),
            "system" => Self::System(text),
            "reset" | "clear" => Self::Reset,
            "help" | "?" => Self::Help,
            "quit" | "exit" | "bye" => Self::Quit,
            _ => Self::Unknown(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_turns_unless_they_begin_with_a_slash() {
        assert_eq!(Line::parse("  hi there "), Line::Say("hi there".to_owned()));
        assert_eq!(Line::parse("//etc"), Line::Say("/etc".to_owned()));
        assert_eq!(Line::parse(" "), Line::Empty);
        assert_eq!(Line::parse("/compare"), Line::Compare(None));
        assert_eq!(
            Line::parse("/compare  a b"),
            Line::Compare(Some("a b".to_owned()))
        );
        assert_eq!(Line::parse("/system"), Line::System(None));
        assert_eq!(Line::parse("/reset"), Line::Reset);
        assert_eq!(Line::parse("/qiut"), Line::Unknown("qiut".to_owned()));
    }
}

//! From a source to tokens: what is text, what stands in tags, and the blanks that tags swallow.

use super::literal::{float_length, integer, unescape};
use crate::text::jinja::problem::{Problem, Result};
use crate::text::jinja::value::text::is_space;

/// A token with its line.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Data(String),
    PrintBegin,
    PrintEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Text(String),
    Int(i128),
    Float(f64),
    Sign(&'static str),
    End,
}

/// The longer ones first.
const SIGNS: [&str; 25] = [
    "**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",",
];

/// The tokens of a source, whose line ends are taken as `\n`.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>> {
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    if source.ends_with('\n') {
        source.pop();
    }
    let mut lexer = Lexer {
        source: &source,
        place: 0,
        line: 1,
        at_line_begin: true,
        tokens: Vec::new(),
    };
    let outcome = lexer.run();
    let line = lexer.line;
    outcome.map_err(|problem| problem.at(line))?;
    lexer.push(Kind::End);
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    place: usize,
    line: u32,
    /// What came before ended with a line end.
    at_line_begin: bool,
    tokens: Vec<Token>,
}

/// What begins a tag, and the sign behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Block,
    Print,
    Comment,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.place..]
    }

    fn push(&mut self, kind: Kind) {
        let line = self.line;
        self.tokens.push(Token { kind, line });
    }

    /// Goes on by some bytes.
    fn pass(&mut self, length: usize) {
        let passed = &self.rest()[..length];
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u32;
        if length > 0 {
            self.at_line_begin = passed.ends_with('\n');
        }
        self.place += length;
    }

    fn run(&mut self) -> Result<()> {
        while let Some((length, tag)) = find_tag(self.rest()) {
            let text = &self.rest()[..length];
            let sign = sign_at(&self.rest()[length + 2..]);
            self.data(text, length, sign, tag != Tag::Print);
            self.pass(2 + sign.map_or(0, char::len_utf8));
            match tag {
                Tag::Comment => self.comment()?,
                Tag::Block => match raw_begin(self.rest()) {
                    Some(length) => {
                        self.pass(length);
                        self.raw()?;
                    }
                    None => self.tag(Kind::BlockBegin, Kind::BlockEnd, "%}")?,
                },
                Tag::Print => self.tag(Kind::PrintBegin, Kind::PrintEnd, "}}")?,
            }
        }
        let rest = self.rest();
        if !rest.is_empty() {
            self.push(Kind::Data(rest.to_owned()));
            self.pass(rest.len());
        }
        Ok(())
    }

    /// The text before a tag, of which the tag may swallow the end.
    fn data(&mut self, text: &str, length: usize, sign: Option<char>, strips_line: bool) {
        let kept = match sign {
            Some('-') => text.trim_end_matches(is_space),
            None if strips_line => {
                let begin = text.rfind('\n').map_or(0, |place| place + 1);
                let blank = text[begin..].chars().all(is_space);
                if blank && (begin > 0 || self.at_line_begin) {
                    &text[..begin]
                } else {
                    text
                }
            }
            _ => text,
        };
        if !kept.is_empty() {
            self.push(Kind::Data(kept.to_owned()));
        }
        self.pass(length);
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest();
        let Some(end) = rest.find("#}") else {
            return Err(Problem::new("a comment without `#}`"));
        };
        let sign = rest[..end].chars().next_back();
        self.pass(end + 2);
        self.after_tag(sign, true);
        Ok(())
    }

    /// Passes the blanks that the end of a tag swallows.
    fn after_tag(&mut self, sign: Option<char>, trims_line: bool) {
        let rest = self.rest();
        match sign {
            Some('-') => self.pass(rest.len() - rest.trim_start_matches(is_space).len()),
            Some('+') => {}
            _ if trims_line && rest.starts_with('\n') => self.pass(1),
            _ => {}
        }
    }

    fn raw(&mut self) -> Result<()> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = rest[from..].find("{%") {
            let begin = from + found;
            let sign = sign_at(&rest[begin + 2..]);
            let inner = begin + 2 + sign.map_or(0, char::len_utf8);
            let name = rest[inner..].trim_start_matches(is_space);
            let Some(after) = name.strip_prefix("endraw") else {
                from = begin + 2;
                continue;
            };
            let after = after.trim_start_matches(is_space);
            let close = sign_at(after);
            let Some(end) = after[close.map_or(0, char::len_utf8)..].strip_prefix("%}") else {
                from = begin + 2;
                continue;
            };
            self.data(&rest[..begin], begin, sign, true);
            self.pass(rest.len() - begin - end.len());
            self.after_tag(close, true);
            return Ok(());
        }
        Err(Problem::new("`raw` without `endraw`"))
    }

    /// The tokens of a tag, until its end outside of brackets.
    fn tag(&mut self, begin: Kind, end: Kind, end_sign: &str) -> Result<()> {
        self.push(begin);
        let mut brackets: Vec<char> = Vec::new();
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches(is_space).len();
            if blanks > 0 {
                self.pass(blanks);
                continue;
            }
            let Some(first) = rest.chars().next() else {
                return Ok(());
            };
            let sign = Some(first).filter(|sign| *sign == '-' || *sign == '+' && end_sign == "%}");
            let ends = rest[sign.map_or(0, char::len_utf8)..].starts_with(end_sign);
            if brackets.is_empty() && ends {
                self.push(end);
                self.pass(2 + sign.map_or(0, char::len_utf8));
                self.after_tag(sign, end_sign == "%}");
                return Ok(());
            }
            self.token(first, &mut brackets)?;
        }
    }

    fn token(&mut self, first: char, brackets: &mut Vec<char>) -> Result<()> {
        let rest = self.rest();
        if first.is_ascii_digit() {
            let after_dot = self.source[..self.place].ends_with('.');
            if let Some(length) = float_length(rest).filter(|_| !after_dot) {
                let number = rest[..length].replace('_', "").parse();
                self.push(Kind::Float(number.unwrap_or(f64::INFINITY)));
                self.pass(length);
                return Ok(());
            }
            if let Some((number, length)) = integer(rest)? {
                self.push(Kind::Int(number));
                self.pass(length);
                return Ok(());
            }
        }
        if first.is_alphanumeric() || first == '_' {
            let length = rest
                .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .unwrap_or(rest.len());
            if first.is_numeric() {
                return Err(Problem::new(format!("`{}` is no name", &rest[..length])));
            }
            self.push(Kind::Name(rest[..length].to_owned()));
            self.pass(length);
            return Ok(());
        }
        if first == '\'' || first == '"' {
            return self.quoted(first);
        }
        let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
            return Err(Problem::new(format!("syntax error: unexpected `{first}`")));
        };
        match first {
            '(' => brackets.push(')'),
            '[' => brackets.push(']'),
            '{' => brackets.push('}'),
            ')' | ']' | '}' if brackets.pop() != Some(first) => {
                return Err(Problem::new(format!("syntax error: unexpected `{first}`")));
            }
            _ => {}
        }
        self.push(Kind::Sign(sign));
        self.pass(sign.len());
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<()> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest[1..].find(|letter: char| {
            let ends = letter == quote && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let Some(end) = end else {
            return Err(Problem::new(format!(
                "a text without its closing `{quote}`"
            )));
        };
        self.push(Kind::Text(unescape(&rest[1..=end])?));
        self.pass(end + 2);
        Ok(())
    }
}

/// The next tag: where it begins, and its kind.
fn find_tag(source: &str) -> Option<(usize, Tag)> {
    let bytes = source.as_bytes();
    let mut from = 0;
    loop {
        let place = from + bytes[from..].iter().position(|byte| *byte == b'{')?;
        let tag = match bytes.get(place + 1) {
            Some(b'%') => Tag::Block,
            Some(b'{') => Tag::Print,
            Some(b'#') => Tag::Comment,
            _ => {
                from = place + 1;
                continue;
            }
        };
        return Some((place, tag));
    }
}

fn sign_at(source: &str) -> Option<char> {
    source
        .chars()
        .next()
        .filter(|letter| matches!(letter, '-' | '+'))
}

/// The length of ` raw %}`, which swallows no line end of its own.
fn raw_begin(source: &str) -> Option<usize> {
    let rest = source.trim_start_matches(is_space).strip_prefix("raw")?;
    let rest = rest.trim_start_matches(is_space);
    let rest = match rest.strip_prefix("-%}") {
        Some(rest) => rest.trim_start_matches(is_space),
        None => rest.strip_prefix("%}")?,
    };
    Some(source.len() - rest.len())
}

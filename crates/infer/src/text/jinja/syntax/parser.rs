//! What all of the grammar shares: the place in the tokens, names, and how deep the nesting is.

use std::collections::HashMap;
use std::sync::Arc;

use super::lexer::{Kind, Token, tokens};
use super::tree::{Body, Name, Takes};
use crate::text::jinja::limits::{MAX_NESTING, MAX_SOURCE};
use crate::text::jinja::problem::{Problem, Result, fail};

/// A template's tree and the names in it.
#[derive(Debug)]
pub(in crate::text::jinja) struct Tree {
    pub(in crate::text::jinja) body: Body,
    pub(in crate::text::jinja) names: HashMap<Arc<str>, Name>,
    pub(in crate::text::jinja) spellings: Vec<Arc<str>>,
}

/// Parses a template.
pub(in crate::text::jinja) fn parse(source: &str) -> Result<Tree> {
    if source.len() > MAX_SOURCE {
        fail!(
            "{} bytes long; templates may have {} KiB",
            source.len(),
            MAX_SOURCE >> 10
        );
    }
    let mut parser = Parser {
        tokens: tokens(source)?,
        place: 0,
        names: HashMap::new(),
        spellings: Vec::new(),
        nesting: 0,
        lenient: false,
        unknown: Vec::new(),
        blocks: Vec::new(),
        loops: 0,
        loop_mentions: 0,
        mentions: Takes::default(),
    };
    let body = parser.body(&[]);
    let line = parser.line();
    let body = body.map_err(|problem| problem.at(line))?;
    if !parser.unknown.is_empty() {
        return Err(parser.unknown.swap_remove(0));
    }
    Ok(Tree {
        body,
        names: parser.names,
        spellings: parser.spellings,
    })
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    place: usize,
    names: HashMap<Arc<str>, Name>,
    spellings: Vec<Arc<str>>,
    nesting: usize,
    /// Inside of a condition, where unknown filters are errors only when they are reached.
    pub(super) lenient: bool,
    /// Filters and tests that do not exist, outside of conditions.
    pub(super) unknown: Vec<Problem>,
    /// The names of blocks so far.
    pub(super) blocks: Vec<String>,
    /// Loops around this place, within the innermost macro.
    pub(super) loops: usize,
    /// How often `loop` was named so far.
    pub(super) loop_mentions: usize,
    /// What the macro around this place mentions.
    pub(super) mentions: Takes,
}

impl Parser {
    pub(super) fn kind(&self) -> &Kind {
        &self.tokens[self.place].kind
    }

    fn look(&self) -> &Kind {
        let next = (self.place + 1).min(self.tokens.len() - 1);
        &self.tokens[next].kind
    }

    pub(super) fn line(&self) -> u32 {
        self.tokens[self.place].line
    }

    /// The next token; the end stays.
    pub(super) fn advance(&mut self) -> Kind {
        let last = self.place + 1 == self.tokens.len();
        if last {
            return Kind::End;
        }
        self.place += 1;
        std::mem::replace(&mut self.tokens[self.place - 1].kind, Kind::End)
    }

    pub(super) fn at(&self, sign: &str) -> bool {
        matches!(self.kind(), Kind::Sign(found) if *found == sign)
    }

    pub(super) fn at_name(&self, name: &str) -> bool {
        matches!(self.kind(), Kind::Name(found) if found == name)
    }

    pub(super) fn next_is(&self, sign: &str) -> bool {
        matches!(self.look(), Kind::Sign(found) if *found == sign)
    }

    pub(super) fn next_is_name(&self, name: &str) -> bool {
        matches!(self.look(), Kind::Name(found) if found == name)
    }

    pub(super) fn skip(&mut self, sign: &str) -> bool {
        let found = self.at(sign);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn skip_name(&mut self, name: &str) -> bool {
        let found = self.at_name(name);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<()> {
        if self.skip(sign) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}`")))
    }

    pub(super) fn expect_kind(&mut self, kind: &Kind) -> Result<()> {
        if self.kind() == kind {
            self.advance();
            return Ok(());
        }
        Err(self.unexpected(&describe(kind)))
    }

    pub(super) fn expect_name(&mut self) -> Result<String> {
        if !matches!(self.kind(), Kind::Name(_)) {
            return Err(self.unexpected("a name"));
        }
        match self.advance() {
            Kind::Name(name) => Ok(name),
            _ => Err(Problem::new("expected a name")),
        }
    }

    pub(super) fn unexpected(&self, expected: &str) -> Problem {
        let found = describe(self.kind());
        Problem::new(format!(
            "syntax error: unexpected {found}, expected {expected}"
        ))
        .at(self.line())
    }

    /// A name's place in the table.
    pub(super) fn name(&mut self, name: &str) -> Name {
        match name {
            "loop" => self.loop_mentions += 1,
            "caller" => self.mentions.caller = true,
            "kwargs" => self.mentions.named = true,
            "varargs" => self.mentions.positional = true,
            _ => {}
        }
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let place = self.spellings.len() as Name;
        let name: Arc<str> = name.into();
        self.spellings.push(name.clone());
        self.names.insert(name, place);
        place
    }

    pub(super) fn spelling(&self, name: Name) -> &str {
        self.spellings.get(name as usize).map_or("", |text| text)
    }

    /// Parses what is one level deeper.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting == MAX_NESTING {
            let problem = format!("it is nested more than {MAX_NESTING} deep");
            return Err(Problem::new(problem).at(self.line()));
        }
        self.nesting += 1;
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    /// Parses what stands in a condition, or no longer does.
    pub(super) fn leniently<T>(
        &mut self,
        lenient: bool,
        parse: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let before = std::mem::replace(&mut self.lenient, lenient);
        let parsed = parse(self);
        self.lenient = before;
        parsed
    }
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Data(_) => "text".to_owned(),
        Kind::PrintBegin => "`{{`".to_owned(),
        Kind::PrintEnd => "`}}`".to_owned(),
        Kind::BlockBegin => "`{%`".to_owned(),
        Kind::BlockEnd => "`%}`".to_owned(),
        Kind::Name(name) => format!("`{name}`"),
        Kind::Text(_) => "a text".to_owned(),
        Kind::Int(number) => format!("`{number}`"),
        Kind::Float(number) => format!("`{number}`"),
        Kind::Sign(sign) => format!("`{sign}`"),
        Kind::End => "end of the template".to_owned(),
    }
}

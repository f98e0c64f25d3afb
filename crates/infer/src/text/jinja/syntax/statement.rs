//! Statements: what stands between `{%` and `%}`.

use std::sync::Arc;

use super::lexer::Kind;
use super::parser::Parser;
use super::tree::{
    Body, Constant, Expr, FilterCall, For, MacroDef, Parameter, Statement, Suffix, Takes, Target,
};
use crate::text::jinja::problem::{Problem, Result, fail};

impl Parser {
    /// Statements until a tag of one of these names, which stays the next token; until the end, if there are none.
    pub(super) fn body(&mut self, ends: &[&str]) -> Result<Body> {
        let mut body = Vec::new();
        loop {
            match self.kind() {
                Kind::End if ends.is_empty() => return Ok(body),
                Kind::End => return Err(self.unexpected(&format!("`{}`", ends.join("` or `")))),
                Kind::Data(_) => {
                    if let Kind::Data(text) = self.advance() {
                        body.push(Statement::Data(text.into()));
                    }
                }
                Kind::PrintBegin => {
                    let line = self.line();
                    self.advance();
                    let value = self.tuple(false, Self::expression)?;
                    self.expect_kind(&Kind::PrintEnd)?;
                    body.push(Statement::Print(vec![value], line));
                }
                _ => {
                    self.expect_kind(&Kind::BlockBegin)?;
                    if ends.iter().any(|end| self.at_name(end)) {
                        return Ok(body);
                    }
                    body.push(self.nested(Self::statement)?);
                    self.expect_kind(&Kind::BlockEnd)?;
                }
            }
        }
    }

    /// The body of a tag, with the names that end it.
    fn block(&mut self, ends: &[&str]) -> Result<Body> {
        self.skip(":");
        self.expect_kind(&Kind::BlockEnd)?;
        self.body(ends)
    }

    /// The body of a tag until the one that closes it.
    fn closed(&mut self, end: &str) -> Result<Body> {
        let body = self.leniently(false, |parser| parser.block(&[end]))?;
        self.advance();
        Ok(body)
    }

    fn statement(&mut self) -> Result<Statement> {
        let line = self.line();
        let tag = self.expect_name()?;
        match tag.as_str() {
            "if" => self.if_statement(),
            "for" => self.for_statement(line),
            "set" => self.set_statement(line),
            "macro" => self.macro_statement(),
            "call" => self.call_statement(line),
            "with" => self.with_statement(line),
            "print" => self.print_statement(line),
            "filter" => {
                let filters = self.filter_chain(true)?;
                let body = self.closed("endfilter")?;
                Ok(Statement::FilterBlock {
                    filters,
                    body,
                    line,
                })
            }
            "block" => self.block_statement(),
            "generation" => {
                let body = self.outside_of_loops(|parser| parser.closed("endgeneration"))?;
                Ok(Statement::Scope(body))
            }
            "autoescape" => match self.expression()? {
                Expr::Constant(Constant::Bool(false)) => {
                    Ok(Statement::Scope(self.closed("endautoescape")?))
                }
                _ => fail!("`autoescape` can only be `false`: a prompt is no web page"),
            },
            "break" | "continue" if self.loops == 0 => fail!("`{tag}` outside of a loop"),
            "break" => Ok(Statement::Break),
            "continue" => Ok(Statement::Continue),
            "include" | "import" | "from" | "extends" => {
                while !matches!(self.kind(), Kind::BlockEnd | Kind::End) {
                    self.advance();
                }
                Ok(Statement::OtherTemplate(line))
            }
            _ => fail!("there is no tag `{tag}` here"),
        }
    }

    /// Parses what Jinja makes a function of its own: a loop outside of it cannot be left from within.
    fn outside_of_loops<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let loops = std::mem::take(&mut self.loops);
        let parsed = parse(self);
        self.loops = loops;
        parsed
    }

    fn if_statement(&mut self) -> Result<Statement> {
        let mut branches = Vec::new();
        loop {
            let line = self.line();
            let test = self.leniently(true, |parser| parser.tuple(false, Self::condition))?;
            let body = self.leniently(true, |parser| parser.block(&["elif", "else", "endif"]))?;
            branches.push((test, line, body));
            if !self.skip_name("elif") {
                break;
            }
        }
        let mut otherwise = Vec::new();
        if self.skip_name("else") {
            otherwise = self.leniently(true, |parser| parser.block(&["endif"]))?;
        }
        self.advance();
        Ok(Statement::If {
            branches,
            otherwise,
        })
    }

    fn for_statement(&mut self, line: u32) -> Result<Statement> {
        let target = self.target(false)?;
        if self.is_loop(&target) {
            fail!("`loop` cannot be what a loop goes over");
        }
        if !self.skip_name("in") {
            return Err(self.unexpected("`in`"));
        }
        let over = self.tuple(false, Self::condition)?;
        let only_if = if self.skip_name("if") {
            Some(self.expression()?)
        } else {
            None
        };
        let recursive = self.skip_name("recursive");
        self.loops += 1;
        let before = self.loop_mentions;
        let body = self.leniently(false, |parser| parser.block(&["endfor", "else"]))?;
        self.loops -= 1;
        let uses_loop = recursive || self.loop_mentions > before;
        let otherwise = if self.skip_name("else") {
            self.closed("endfor")?
        } else {
            self.advance();
            Vec::new()
        };
        Ok(Statement::For(Arc::new(For {
            target,
            over,
            only_if,
            recursive,
            uses_loop,
            body,
            otherwise,
            line,
        })))
    }

    fn set_statement(&mut self, line: u32) -> Result<Statement> {
        let target = self.target(true)?;
        if self.skip("=") {
            let value = self.tuple(false, Self::expression)?;
            return Ok(Statement::Set(target, value, line));
        }
        let filters = self.filter_chain(false)?;
        let body = self.closed("endset")?;
        Ok(Statement::SetBlock {
            target,
            filters,
            body,
            line,
        })
    }

    /// `name | name …`; the first without its `|` behind the tag `filter`.
    fn filter_chain(&mut self, first_is_bare: bool) -> Result<Vec<FilterCall>> {
        let mut filters = Vec::new();
        if first_is_bare {
            filters.push(self.filter()?);
        }
        while self.skip("|") {
            filters.push(self.filter()?);
        }
        Ok(filters)
    }

    /// What may stand before `=` and behind `for`.
    fn target(&mut self, with_attributes: bool) -> Result<Target> {
        let mut parts = Vec::new();
        let mut is_tuple = false;
        while !matches!(self.kind(), Kind::BlockEnd | Kind::Sign(")")) {
            parts.push(self.single_target(with_attributes)?);
            if !self.skip(",") {
                break;
            }
            is_tuple = true;
        }
        match parts.pop() {
            Some(only) if !is_tuple => Ok(only),
            Some(last) => {
                parts.push(last);
                Ok(Target::Tuple(parts))
            }
            None => Err(self.unexpected("a name")),
        }
    }

    fn is_loop(&self, target: &Target) -> bool {
        match target {
            Target::Name(name) => self.spelling(*name) == "loop",
            Target::Attribute(..) => false,
            Target::Tuple(targets) => targets.iter().any(|target| self.is_loop(target)),
        }
    }

    fn single_target(&mut self, with_attributes: bool) -> Result<Target> {
        if self.skip("(") {
            let target = self.nested(|parser| parser.target(with_attributes))?;
            self.expect(")")?;
            return Ok(target);
        }
        let text = self.target_name()?;
        if with_attributes && self.skip(".") {
            let attribute = self.expect_name()?;
            return Ok(Target::Attribute(self.name(&text), attribute.into()));
        }
        if text == "loop" && self.loops > 0 {
            fail!("`loop` cannot be assigned to in a loop");
        }
        Ok(Target::Name(self.name(&text)))
    }

    fn target_name(&mut self) -> Result<String> {
        let text = self.expect_name()?;
        match text.as_str() {
            "true" | "false" | "none" | "True" | "False" | "None" => {
                fail!("`{text}` cannot be assigned to")
            }
            _ => Ok(text),
        }
    }

    fn macro_statement(&mut self) -> Result<Statement> {
        let text = self.target_name()?;
        let name = self.name(&text);
        let parameters = self.parameters()?;
        let def = self.macro_body(Some(text.into()), parameters, "endmacro")?;
        Ok(Statement::Macro(name, Arc::new(def)))
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>> {
        self.expect("(")?;
        let mut parameters: Vec<Parameter> = Vec::new();
        while !self.at(")") {
            if !parameters.is_empty() {
                self.expect(",")?;
            }
            let text = self.target_name()?;
            let name = self.name(&text);
            let default = if self.skip("=") {
                Some(self.expression()?)
            } else {
                None
            };
            if default.is_none() && parameters.last().is_some_and(|last| last.default.is_some()) {
                fail!("the parameter `{text}` without a default behind one with a default");
            }
            if parameters.iter().any(|known| known.name == name) {
                fail!("the parameter `{text}` stands there twice");
            }
            parameters.push(Parameter {
                name,
                text: text.into(),
                default,
            });
        }
        self.expect(")")?;
        Ok(parameters)
    }

    fn macro_body(
        &mut self,
        name: Option<Arc<str>>,
        parameters: Vec<Parameter>,
        end: &str,
    ) -> Result<MacroDef> {
        let before = std::mem::take(&mut self.mentions);
        let body = self.outside_of_loops(|parser| parser.closed(end))?;
        let mentions = self.mentions;
        self.mentions = Takes {
            caller: before.caller || mentions.caller,
            named: before.named || mentions.named,
            positional: before.positional || mentions.positional,
        };
        let named = |text: &str| parameters.iter().any(|parameter| &*parameter.text == text);
        let explicit = parameters
            .iter()
            .find(|parameter| &*parameter.text == "caller");
        if mentions.caller && explicit.is_some_and(|caller| caller.default.is_none()) {
            fail!("the parameter `caller` needs a default");
        }
        Ok(MacroDef {
            takes: Takes {
                caller: mentions.caller && explicit.is_none(),
                named: mentions.named && !named("kwargs"),
                positional: mentions.positional && !named("varargs"),
            },
            name,
            parameters,
            body,
        })
    }

    fn call_statement(&mut self, line: u32) -> Result<Statement> {
        let parameters = if self.at("(") {
            self.parameters()?
        } else {
            Vec::new()
        };
        let call = self.expression()?;
        let is_call = matches!(&call, Expr::Postfix(_, suffixes)
            if matches!(suffixes.last(), Some((Suffix::Call(_), _))));
        if !is_call {
            fail!("`call` takes a call, such as `{{% call name() %}}`");
        }
        let block = self.macro_body(None, parameters, "endcall")?;
        Ok(Statement::Call {
            block: Arc::new(block),
            call,
            line,
        })
    }

    fn with_statement(&mut self, line: u32) -> Result<Statement> {
        let mut values = Vec::new();
        while *self.kind() != Kind::BlockEnd {
            if !values.is_empty() {
                self.expect(",")?;
            }
            let target = self.single_target(false)?;
            self.expect("=")?;
            values.push((target, self.expression()?));
        }
        let body = self.closed("endwith")?;
        Ok(Statement::With { values, body, line })
    }

    fn print_statement(&mut self, line: u32) -> Result<Statement> {
        let mut values = Vec::new();
        while *self.kind() != Kind::BlockEnd {
            if !values.is_empty() {
                self.expect(",")?;
            }
            values.push(self.expression()?);
        }
        Ok(Statement::Print(values, line))
    }

    fn block_statement(&mut self) -> Result<Statement> {
        let name = self.expect_name()?;
        if self.blocks.contains(&name) {
            fail!("the block `{name}` stands there twice");
        }
        self.blocks.push(name.clone());
        self.skip_name("scoped");
        if self.skip_name("required") {
            return Err(Problem::new(format!(
                "the block `{name}` is required, and there are no other templates"
            )));
        }
        let body = self.outside_of_loops(|parser| {
            let body = parser.leniently(false, |parser| parser.block(&["endblock"]))?;
            parser.advance();
            Ok(body)
        })?;
        self.skip_name(&name);
        Ok(Statement::Block(body))
    }
}

//! Expressions, from the weakest operator to the strongest.

use std::sync::Arc;

use super::lexer::Kind;
use super::parser::Parser;
use super::tree::{
    CallArguments, Comparison, Constant, Expr, FilterCall, Operator, Prefix, Suffix,
};
use crate::text::jinja::checks::check;
use crate::text::jinja::filters::filter;
use crate::text::jinja::problem::{Problem, Result, fail};

/// More branches without `else` than anyone writes in one expression.
const MAX_OPEN_CHOICES: usize = 8;

impl Parser {
    /// An expression, `… if … else …` included.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.nested(Self::choice)
    }

    /// An expression without `if`, as in the head of a loop.
    pub(super) fn condition(&mut self) -> Result<Expr> {
        self.nested(Self::or)
    }

    fn choice(&mut self) -> Result<Expr> {
        let mut branches = Vec::new();
        let unknown = self.unknown.len();
        let mut value = self.or()?;
        let mut open = 0;
        while self.skip_name("if") {
            let test = self.or()?;
            if self.skip_name("else") {
                branches.push((value, test));
                value = self.or()?;
                continue;
            }
            open += 1;
            if open > MAX_OPEN_CHOICES {
                fail!("more than {MAX_OPEN_CHOICES} `if` without `else` in one expression");
            }
            value = Expr::Choice {
                branches: vec![(value, test)],
                otherwise: None,
            };
        }
        if open > 0 || !branches.is_empty() {
            self.unknown.truncate(unknown);
        }
        if branches.is_empty() {
            return Ok(value);
        }
        Ok(Expr::Choice {
            branches,
            otherwise: Some(Box::new(value)),
        })
    }

    fn or(&mut self) -> Result<Expr> {
        let mut parts = vec![self.and()?];
        while self.skip_name("or") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr> {
        let mut parts = vec![self.not()?];
        while self.skip_name("and") {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Expr::And))
    }

    fn not(&mut self) -> Result<Expr> {
        if self.skip_name("not") {
            let value = self.nested(Self::not)?;
            return Ok(Expr::Prefix(Prefix::Not, Box::new(value)));
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<Expr> {
        let first = self.sum()?;
        let mut parts = Vec::new();
        loop {
            let comparison = match self.kind() {
                Kind::Sign("==") => Comparison::Equal,
                Kind::Sign("!=") => Comparison::Unequal,
                Kind::Sign("<") => Comparison::Less,
                Kind::Sign("<=") => Comparison::LessOrEqual,
                Kind::Sign(">") => Comparison::Greater,
                Kind::Sign(">=") => Comparison::GreaterOrEqual,
                Kind::Name(name) if name == "in" => Comparison::In,
                Kind::Name(name) if name == "not" && self.next_is_name("in") => {
                    self.advance();
                    Comparison::NotIn
                }
                _ => break,
            };
            self.advance();
            parts.push((comparison, self.sum()?));
        }
        Ok(if parts.is_empty() {
            first
        } else {
            Expr::Compare(Box::new(first), parts)
        })
    }

    fn sum(&mut self) -> Result<Expr> {
        self.chain(Self::concat, |sign| match sign {
            "+" => Some(Operator::Add),
            "-" => Some(Operator::Subtract),
            _ => None,
        })
    }

    fn concat(&mut self) -> Result<Expr> {
        let mut parts = vec![self.product()?];
        while self.skip("~") {
            parts.push(self.product()?);
        }
        Ok(one_or(parts, Expr::Concat))
    }

    fn product(&mut self) -> Result<Expr> {
        self.chain(Self::power, |sign| match sign {
            "*" => Some(Operator::Multiply),
            "/" => Some(Operator::Divide),
            "//" => Some(Operator::FloorDivide),
            "%" => Some(Operator::Modulo),
            _ => None,
        })
    }

    fn power(&mut self) -> Result<Expr> {
        // from the left, other than in Python
        self.chain(
            |parser| parser.unary(true),
            |sign| (sign == "**").then_some(Operator::Power),
        )
    }

    fn chain(
        &mut self,
        operand: impl Fn(&mut Self) -> Result<Expr>,
        operator: impl Fn(&str) -> Option<Operator>,
    ) -> Result<Expr> {
        let first = operand(self)?;
        let mut parts = Vec::new();
        while let Kind::Sign(sign) = self.kind()
            && let Some(operator) = operator(sign)
        {
            self.advance();
            parts.push((operator, operand(self)?));
        }
        Ok(if parts.is_empty() {
            first
        } else {
            Expr::Chain(Box::new(first), parts)
        })
    }

    /// A value with its signs, what follows it, and (not behind a sign) its filters and tests.
    fn unary(&mut self, with_filters: bool) -> Result<Expr> {
        let prefix = match self.kind() {
            Kind::Sign("-") => Some(Prefix::Minus),
            Kind::Sign("+") => Some(Prefix::Plus),
            _ => None,
        };
        let mut value = match prefix {
            Some(prefix) => {
                self.advance();
                let value = self.nested(|parser| parser.unary(false))?;
                Expr::Prefix(prefix, Box::new(value))
            }
            None => self.primary()?,
        };
        let mut suffixes = Vec::new();
        self.postfix(&mut suffixes)?;
        if with_filters {
            self.filters_and_tests(&mut suffixes)?;
        }
        if !suffixes.is_empty() {
            value = Expr::Postfix(Box::new(value), suffixes);
        }
        Ok(value)
    }

    pub(super) fn primary(&mut self) -> Result<Expr> {
        match self.kind() {
            Kind::Sign("(") => {
                self.advance();
                let value = self.tuple(true, Self::expression)?;
                self.expect(")")?;
                return Ok(value);
            }
            Kind::Sign("[") => return self.list(),
            Kind::Sign("{") => return self.dict(),
            Kind::Name(_) | Kind::Text(_) | Kind::Int(_) | Kind::Float(_) => {}
            _ => return Err(self.unexpected("a value")),
        }
        Ok(match self.advance() {
            Kind::Name(name) => match name.as_str() {
                "true" | "True" => Expr::Constant(Constant::Bool(true)),
                "false" | "False" => Expr::Constant(Constant::Bool(false)),
                "none" | "None" => Expr::Constant(Constant::None),
                name => Expr::Name(self.name(name)),
            },
            Kind::Text(mut text) => {
                while matches!(self.kind(), Kind::Text(_)) {
                    if let Kind::Text(more) = self.advance() {
                        text.push_str(&more);
                    }
                }
                Expr::Constant(Constant::Text(text.into()))
            }
            Kind::Int(number) => Expr::Constant(Constant::Int(number)),
            Kind::Float(number) => Expr::Constant(Constant::Float(number)),
            _ => return Err(Problem::new("expected a value")),
        })
    }

    /// One expression, or several between commas.
    pub(super) fn tuple(
        &mut self,
        may_be_empty: bool,
        parse: impl Fn(&mut Self) -> Result<Expr>,
    ) -> Result<Expr> {
        let mut parts = Vec::new();
        let mut is_tuple = false;
        loop {
            let at_end = matches!(
                self.kind(),
                Kind::PrintEnd | Kind::BlockEnd | Kind::Sign(")")
            );
            if at_end {
                break;
            }
            parts.push(parse(self)?);
            if !self.skip(",") {
                break;
            }
            is_tuple = true;
        }
        if is_tuple {
            return Ok(Expr::Tuple(parts));
        }
        match parts.pop() {
            Some(value) => Ok(value),
            None if may_be_empty => Ok(Expr::Tuple(parts)),
            None => Err(self.unexpected("a value")),
        }
    }

    fn list(&mut self) -> Result<Expr> {
        self.advance();
        let mut items = Vec::new();
        while !self.at("]") {
            items.push(self.expression()?);
            if !self.skip(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Expr::List(items))
    }

    fn dict(&mut self) -> Result<Expr> {
        self.advance();
        let mut entries = Vec::new();
        while !self.at("}") {
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
            if !self.skip(",") {
                break;
            }
        }
        self.expect("}")?;
        Ok(Expr::Dict(entries))
    }

    fn postfix(&mut self, suffixes: &mut Vec<(Suffix, u32)>) -> Result<()> {
        loop {
            let line = self.line();
            let suffix = match self.kind() {
                Kind::Sign(".") => self.attribute()?,
                Kind::Sign("[") => self.subscript()?,
                Kind::Sign("(") => Suffix::Call(self.arguments()?),
                _ => return Ok(()),
            };
            suffixes.push((suffix, line));
        }
    }

    fn filters_and_tests(&mut self, suffixes: &mut Vec<(Suffix, u32)>) -> Result<()> {
        loop {
            let line = self.line();
            let suffix = match self.kind() {
                Kind::Sign("|") => {
                    self.advance();
                    Suffix::Filter(self.filter()?)
                }
                Kind::Sign("(") => Suffix::Call(self.arguments()?),
                Kind::Name(name) if name == "is" => self.test()?,
                _ => return Ok(()),
            };
            suffixes.push((suffix, line));
        }
    }

    fn attribute(&mut self) -> Result<Suffix> {
        self.advance();
        if !matches!(self.kind(), Kind::Name(_) | Kind::Int(_)) {
            return Err(self.unexpected("a name or a number"));
        }
        Ok(match self.advance() {
            Kind::Int(number) => Suffix::Item(Expr::Constant(Constant::Int(number))),
            Kind::Name(name) => Suffix::Attribute(name.into()),
            _ => return Err(Problem::new("expected a name or a number")),
        })
    }

    fn subscript(&mut self) -> Result<Suffix> {
        self.advance();
        let mut parts: Vec<[Option<Expr>; 3]> = Vec::new();
        let mut slices = false;
        while !self.at("]") {
            if !parts.is_empty() {
                self.expect(",")?;
            }
            let (part, is_slice) = self.subscribed()?;
            slices |= is_slice;
            parts.push(part);
        }
        self.expect("]")?;
        if parts.len() == 1 && slices {
            return Ok(parts
                .pop()
                .map_or_else(|| Suffix::Slice([None, None, None]), Suffix::Slice));
        }
        if slices {
            fail!("a slice beside other indices");
        }
        let mut items: Vec<Expr> = parts.into_iter().filter_map(|[item, ..]| item).collect();
        let single = items.len() == 1;
        Ok(Suffix::Item(match items.pop() {
            Some(item) if single => item,
            Some(item) => {
                items.push(item);
                Expr::Tuple(items)
            }
            None => Expr::Tuple(items),
        }))
    }

    /// An index, or the bounds of a slice.
    fn subscribed(&mut self) -> Result<([Option<Expr>; 3], bool)> {
        let mut bounds = [None, None, None];
        for place in 0..3 {
            if !self.at(":") && !(place > 0 && (self.at("]") || self.at(","))) {
                bounds[place] = Some(self.expression()?);
            }
            if place == 2 || !self.skip(":") {
                return Ok((bounds, place > 0));
            }
        }
        Ok((bounds, true))
    }

    pub(super) fn arguments(&mut self) -> Result<CallArguments> {
        self.expect("(")?;
        let mut arguments = CallArguments::default();
        while !self.at(")") {
            self.argument(&mut arguments)?;
            if !self.skip(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(arguments)
    }

    fn argument(&mut self, arguments: &mut CallArguments) -> Result<()> {
        let misplaced = || Problem::new("a positional argument behind named ones, or two `*`");
        let open = arguments.named_rest.is_none();
        if self.skip("*") {
            let value = self.expression()?;
            let first = arguments.rest.replace(Box::new(value)).is_none();
            return if open && first {
                Ok(())
            } else {
                Err(misplaced())
            };
        }
        if self.skip("**") {
            arguments.named_rest = Some(Box::new(self.expression()?));
            return if open { Ok(()) } else { Err(misplaced()) };
        }
        if matches!(self.kind(), Kind::Name(_)) && self.next_is("=") {
            let name: Arc<str> = self.expect_name()?.into();
            self.advance();
            if arguments.named.iter().any(|(known, _)| *known == name) {
                fail!("the argument `{name}` is given twice");
            }
            let value = self.expression()?;
            arguments.named.push((name, value));
            return if open { Ok(()) } else { Err(misplaced()) };
        }
        let value = self.expression()?;
        arguments.positional.push(value);
        if open && arguments.rest.is_none() && arguments.named.is_empty() {
            Ok(())
        } else {
            Err(misplaced())
        }
    }

    /// A filter's name and arguments.
    pub(super) fn filter(&mut self) -> Result<FilterCall> {
        let line = self.line();
        let name = self.dotted_name()?;
        let arguments = if self.at("(") {
            self.arguments()?
        } else {
            CallArguments::default()
        };
        let filter = filter(&name);
        if filter.is_none() && !self.lenient {
            let problem = Problem::new(format!("there is no filter `{name}`"));
            self.unknown.push(problem.at(line));
        }
        Ok(FilterCall {
            name: name.into(),
            filter,
            arguments,
        })
    }

    fn test(&mut self) -> Result<Suffix> {
        let line = self.line();
        self.advance();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let arguments = match self.kind() {
            Kind::Sign("(") => self.arguments()?,
            Kind::Name(name) if ["else", "or", "and"].contains(&name.as_str()) => {
                CallArguments::default()
            }
            Kind::Name(name) if name == "is" => fail!("tests with `is` cannot be chained"),
            Kind::Name(_)
            | Kind::Text(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::Sign("[" | "{") => {
                let mut value = self.nested(Self::primary)?;
                let mut suffixes = Vec::new();
                self.postfix(&mut suffixes)?;
                if !suffixes.is_empty() {
                    value = Expr::Postfix(Box::new(value), suffixes);
                }
                CallArguments {
                    positional: vec![value],
                    ..CallArguments::default()
                }
            }
            _ => CallArguments::default(),
        };
        let check = check(&name);
        if check.is_none() && !self.lenient {
            let problem = Problem::new(format!("there is no test `{name}`"));
            self.unknown.push(problem.at(line));
        }
        Ok(Suffix::Test {
            name: name.into(),
            check,
            arguments,
            negated,
        })
    }

    fn dotted_name(&mut self) -> Result<String> {
        let mut name = self.expect_name()?;
        while self.skip(".") {
            name = format!("{name}.{}", self.expect_name()?);
        }
        Ok(name)
    }
}

fn one_or(mut parts: Vec<Expr>, several: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            several(parts)
        }
        None => several(parts),
    }
}

//! The tree of a template. Chains (`a + b + c`, `a.b.c`, `elif`) are lists, so its depth is what its writer nested.

use std::sync::Arc;

use crate::text::jinja::checks::Check;
use crate::text::jinja::filters::Filter;

/// A name, by its place in the template's table.
pub(in crate::text::jinja) type Name = u32;

/// An expression.
#[derive(Debug)]
pub(in crate::text::jinja) enum Expr {
    Constant(Constant),
    Name(Name),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    /// `not`, `-`, `+`.
    Prefix(Prefix, Box<Expr>),
    /// Operators of one rank, from the left.
    Chain(Box<Expr>, Vec<(Operator, Expr)>),
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// `value if test else …`: the first value whose test holds.
    Choice {
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    /// What follows a value: `.name`, `[item]`, `(…)`, `|filter`, `is test`.
    Postfix(Box<Expr>, Vec<(Suffix, u32)>),
}

#[derive(Debug, Clone)]
pub(in crate::text::jinja) enum Constant {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Arc<str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::text::jinja) enum Prefix {
    Not,
    Minus,
    Plus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::text::jinja) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::text::jinja) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

#[derive(Debug)]
pub(in crate::text::jinja) enum Suffix {
    Attribute(Arc<str>),
    Item(Expr),
    Slice([Option<Expr>; 3]),
    Call(CallArguments),
    Filter(FilterCall),
    Test {
        name: Arc<str>,
        check: Option<Check>,
        arguments: CallArguments,
        negated: bool,
    },
}

/// `|name(…)`. A filter that does not exist is an error at once, or when it is reached if it stands in a condition.
#[derive(Debug)]
pub(in crate::text::jinja) struct FilterCall {
    pub(in crate::text::jinja) name: Arc<str>,
    pub(in crate::text::jinja) filter: Option<Filter>,
    pub(in crate::text::jinja) arguments: CallArguments,
}

/// What stands between the parentheses of a call.
#[derive(Debug, Default)]
pub(in crate::text::jinja) struct CallArguments {
    pub(in crate::text::jinja) positional: Vec<Expr>,
    pub(in crate::text::jinja) named: Vec<(Arc<str>, Expr)>,
    /// `*values`.
    pub(in crate::text::jinja) rest: Option<Box<Expr>>,
    /// `**values`.
    pub(in crate::text::jinja) named_rest: Option<Box<Expr>>,
}

/// What a value is assigned to.
#[derive(Debug)]
pub(in crate::text::jinja) enum Target {
    Name(Name),
    /// `namespace.attribute`.
    Attribute(Name, Arc<str>),
    Tuple(Vec<Target>),
}

/// A statement.
#[derive(Debug)]
pub(in crate::text::jinja) enum Statement {
    Data(Arc<str>),
    Print(Vec<Expr>, u32),
    If {
        branches: Vec<(Expr, u32, Body)>,
        otherwise: Body,
    },
    For(Arc<For>),
    Set(Target, Expr, u32),
    SetBlock {
        target: Target,
        filters: Vec<FilterCall>,
        body: Body,
        line: u32,
    },
    Macro(Name, Arc<MacroDef>),
    Call {
        block: Arc<MacroDef>,
        call: Expr,
        line: u32,
    },
    FilterBlock {
        filters: Vec<FilterCall>,
        body: Body,
        line: u32,
    },
    With {
        values: Vec<(Target, Expr)>,
        body: Body,
        line: u32,
    },
    /// A block, which without inheritance stands where it is.
    Block(Body),
    /// `generation` (the assistant's text, for training) and `autoescape false`: a scope, no more.
    Scope(Body),
    Break,
    Continue,
    /// `include` and the like: there are no other templates.
    OtherTemplate(u32),
}

pub(in crate::text::jinja) type Body = Vec<Statement>;

/// A loop.
#[derive(Debug)]
pub(in crate::text::jinja) struct For {
    pub(in crate::text::jinja) target: Target,
    pub(in crate::text::jinja) over: Expr,
    pub(in crate::text::jinja) only_if: Option<Expr>,
    pub(in crate::text::jinja) recursive: bool,
    /// Whether its body mentions `loop`.
    pub(in crate::text::jinja) uses_loop: bool,
    pub(in crate::text::jinja) body: Body,
    pub(in crate::text::jinja) otherwise: Body,
    pub(in crate::text::jinja) line: u32,
}

/// A macro, or the body of a `call` block.
#[derive(Debug)]
pub(in crate::text::jinja) struct MacroDef {
    /// `None` for a `call` block.
    pub(in crate::text::jinja) name: Option<Arc<str>>,
    pub(in crate::text::jinja) parameters: Vec<Parameter>,
    pub(in crate::text::jinja) body: Body,
    /// Which of `caller`, `kwargs` and `varargs` its body mentions and its parameters do not name.
    pub(in crate::text::jinja) takes: Takes,
}

/// A parameter of a macro.
#[derive(Debug)]
pub(in crate::text::jinja) struct Parameter {
    pub(in crate::text::jinja) name: Name,
    pub(in crate::text::jinja) text: Arc<str>,
    pub(in crate::text::jinja) default: Option<Expr>,
}

/// What a macro takes beyond its parameters.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::text::jinja) struct Takes {
    pub(in crate::text::jinja) caller: bool,
    pub(in crate::text::jinja) named: bool,
    pub(in crate::text::jinja) positional: bool,
}

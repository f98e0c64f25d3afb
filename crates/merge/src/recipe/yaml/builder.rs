//! From the parser's events to trees.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use super::super::pasted::in_plain_text;
use super::mapping::{Entry, EntryKey, assemble};
use super::message::syntax_error;
use super::place::Places;
use super::{Content, Node, Resolved, Scalar, excerpt};
use crate::{Diagnostic, Problems, Span};

/// Bytes of a recipe file at most: a recipe is some kilobytes, and even a long chat template is far below this.
pub const MAX_RECIPE_BYTES: usize = 1 << 20;
/// Real recipes are at most about ten levels deep.
const MAX_DEPTH: usize = 64;
/// Nodes of a file after its aliases are replaced by what they stand for.
const MAX_NODES: usize = 100_000;
/// Bytes of text that the aliases of a file stand for together. They share it here, but what reads the tree takes copies.
const MAX_ALIASED: usize = 1 << 20;

/// The trees of all documents, with nothing for an empty document.
///
/// What is wrong is added to `problems`. Where reading could not go on, the complete documents before that place are returned.
pub(crate) fn documents(text: &str, problems: &mut Problems) -> Documents {
    if text.len() > MAX_RECIPE_BYTES {
        let message = format!("the recipe has more than {MAX_RECIPE_BYTES} bytes");
        let hint = "recipes usually have a few kilobytes: is this the right file?";
        problems.add(Diagnostic::error(message, None).hint(hint));
        return Documents::default();
    }
    let places = Places::new(text);
    let mut builder = Builder {
        parser: Parser::new_from_str(places.text()),
        places: &places,
        problems,
        anchors: BTreeMap::new(),
        nodes: 0,
        bytes: 0,
        aliased: 0,
        complete: 0,
    };
    let mut roots = Vec::new();
    let ended = builder.stream(&mut roots);
    let is_whole = ended.is_ok();
    if let Err(fatal) = ended {
        // What the parser took for the end of a document may have been the error itself.
        roots.truncate(builder.complete);
        problems.add(fatal);
    }
    Documents { roots, is_whole }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// The trees of its documents.
    pub(crate) roots: Vec<Node>,
    /// Whether it could be read to its end.
    pub(crate) is_whole: bool,
}

/// Reading cannot go on.
type Fatal = Diagnostic;
type Anchor = usize;

struct Builder<'t, 'p, 'd> {
    parser: Parser<'t, StrInput<'t>>,
    places: &'p Places<'t>,
    problems: &'d mut Problems,
    /// What the anchors of this document stand for; nothing while the anchored node is being read.
    anchors: BTreeMap<Anchor, Option<Anchored>>,
    /// Nodes so far, in all documents.
    nodes: usize,
    /// Bytes of text so far, as often as aliases name it.
    bytes: usize,
    /// Those of them that aliases stand for.
    aliased: usize,
    /// Documents before the last one that was begun.
    complete: usize,
}

#[derive(Clone)]
struct Anchored {
    node: Node,
    nodes: usize,
    bytes: usize,
    height: usize,
}

/// A node with what the limits need to know.
struct Built {
    node: Node,
    /// Levels of nesting: 1 for a scalar.
    height: usize,
    /// A plain, untagged `<<`, if this node is a key.
    is_merge_key: bool,
}

impl<'t> Builder<'t, '_, '_> {
    fn stream(&mut self, documents: &mut Vec<Node>) -> Result<(), Fatal> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(()),
                Event::DocumentStart(_) => {
                    self.anchors.clear();
                    self.complete = documents.len();
                }
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                event => {
                    let node = self.node(event, span, 1)?.node;
                    if !node.is_null() {
                        documents.push(node);
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Fatal> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.places.span(span))),
            Some(Err(error)) => Err(syntax_error(&error, self.places)),
            None => Err(Diagnostic::error("the recipe ends unexpectedly", None)),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Built, Fatal> {
        check_depth(depth, span)?;
        if let Event::Alias(anchor) = event {
            return self.alias(anchor, span, depth);
        }
        self.count(1, span)?;
        let before = (self.nodes, self.bytes);
        let anchor = match &event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _) => *anchor,
            _ => 0,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        let built = match event {
            Event::Scalar(text, style, _, tag) => self.scalar(text, style, tag.as_deref(), span),
            Event::SequenceStart(_, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", "a list", span);
                self.sequence(span, depth)?
            }
            Event::MappingStart(_, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", "a mapping", span);
                self.mapping(span, depth)?
            }
            _ => return Err(Diagnostic::error("invalid YAML: expected a value", span)),
        };
        if anchor != 0 {
            let anchored = Anchored {
                node: built.node.clone(),
                nodes: self.nodes - before.0 + 1,
                bytes: self.bytes - before.1,
                height: built.height,
            };
            self.anchors.insert(anchor, Some(anchored));
        }
        Ok(built)
    }

    fn alias(&mut self, anchor: Anchor, span: Span, depth: usize) -> Result<Built, Fatal> {
        let name = excerpt(self.places.source(span));
        let anchored = match self.anchors.get(&anchor) {
            Some(Some(anchored)) => anchored,
            Some(None) => {
                let message = format!("alias `{name}` is inside the value that it refers to");
                return Err(Diagnostic::error(message, span));
            }
            None => {
                let message = format!("alias `{name}` refers to an anchor in another document");
                return Err(Diagnostic::error(message, span)
                    .hint("an anchor is valid only within its document"));
            }
        };
        let Anchored {
            node,
            nodes,
            bytes,
            height,
        } = anchored.clone();
        self.count(nodes, span)?;
        check_depth(depth + height - 1, span)?;
        self.bytes += bytes;
        self.aliased += bytes;
        if self.aliased > MAX_ALIASED {
            let message =
                format!("the aliases up to this one expand to more than {MAX_ALIASED} bytes");
            let hint = "an alias counts each time it is used";
            return Err(Diagnostic::error(message, span).hint(hint));
        }
        Ok(Built {
            node: Node { span, ..node },
            height,
            is_merge_key: false,
        })
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Fatal> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            let message = format!(
                "the recipe has more than {MAX_NODES} values after its aliases are expanded"
            );
            return Err(Diagnostic::error(message, span));
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Built {
        let plain = style == ScalarStyle::Plain;
        self.bytes += text.len();
        if plain {
            self.problems.extend(in_plain_text(&text, span));
        }
        let value = match tag {
            // PyYAML types the text behind a lone `!` like a plain one, even in quotes.
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Resolved::of_plain(&text),
            Some(tag) => self.tagged(tag, &text, span),
            None if plain => Resolved::of_plain(&text),
            None => Resolved::Text,
        };
        Built {
            is_merge_key: plain && tag.is_none() && text == "<<",
            height: 1,
            node: Node {
                span,
                content: Content::Scalar(Rc::new(Scalar {
                    text: text.into_owned(),
                    value,
                })),
            },
        }
    }

    fn tagged(&mut self, tag: &Tag, text: &str, span: Span) -> Resolved {
        let resolved = tag
            .is_yaml_core_schema()
            .then(|| Resolved::of_tagged(&tag.suffix, text))
            .flatten();
        resolved.unwrap_or_else(|| {
            let name = tag_name(tag);
            let message = match tag.suffix.as_str() {
                "bool" | "int" | "float" if tag.is_yaml_core_schema() => {
                    format!("`{}` does not fit its tag `{name}`", excerpt(text))
                }
                _ => format!("tag `{name}` has no meaning in a recipe"),
            };
            self.problems.add(Diagnostic::error(message, span));
            Resolved::of_plain(text)
        })
    }

    fn check_collection_tag(&mut self, tag: Option<&Tag>, expected: &str, kind: &str, span: Span) {
        let Some(tag) = tag else { return };
        let fits = (tag.is_yaml_core_schema() && tag.suffix == expected)
            || (tag.handle.is_empty() && tag.suffix == "!");
        if !fits {
            let message = format!("tag `{}` has no meaning on {kind}", tag_name(tag));
            self.problems.add(Diagnostic::error(message, span));
        }
    }

    fn sequence(&mut self, start: Span, depth: usize) -> Result<Built, Fatal> {
        let mut items = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                let span = enclosing(start, items.last().map(|node: &Node| node.span), span);
                return Ok(Built {
                    node: Node {
                        span,
                        content: Content::Sequence(items.into()),
                    },
                    height: height + 1,
                    is_merge_key: false,
                });
            }
            let item = self.node(event, span, depth + 1)?;
            height = height.max(item.height);
            items.push(item.node);
        }
    }

    fn mapping(&mut self, start: Span, depth: usize) -> Result<Built, Fatal> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                let last = entries.last().map(|entry| entry.value.span);
                let span = enclosing(start, last, span);
                return Ok(Built {
                    node: Node {
                        span,
                        content: Content::Mapping(assemble(entries, self.problems).into()),
                    },
                    height: height + 1,
                    is_merge_key: false,
                });
            }
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            height = height.max(key.height).max(value.height);
            entries.push(Entry {
                key: if key.is_merge_key {
                    EntryKey::Merge
                } else {
                    EntryKey::Node(key.node)
                },
                value: value.node,
            });
        }
    }
}

fn check_depth(depth: usize, span: Span) -> Result<(), Fatal> {
    if depth > MAX_DEPTH {
        let message = format!("the document is nested deeper than {MAX_DEPTH} levels");
        return Err(Diagnostic::error(message, span));
    }
    Ok(())
}

/// From the start of a collection to its closing bracket or, in block style, to the end of its last value.
fn enclosing(start: Span, last: Option<Span>, end_event: Span) -> Span {
    let closed = if end_event.end > end_event.start {
        end_event.end
    } else {
        start.end
    };
    let end = last.map_or(closed, |last| last.end.max(closed));
    Span {
        end: end.max(start.end),
        ..start
    }
}

fn tag_name(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() {
        format!("!!{}", excerpt(&tag.suffix))
    } else {
        format!("{}{}", excerpt(&tag.handle), excerpt(&tag.suffix))
    }
}

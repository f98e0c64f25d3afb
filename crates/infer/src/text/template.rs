//! Chat templates: from a conversation to the text that the model continues.

use std::sync::Arc;

use jiff::ZonedDateTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error as JinjaError, ErrorKind, Output, State, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::SpecialTokens;
use super::isolation;
use super::python::{self, JsonLayout};
use crate::Error;

/// Steps of a template, so that one that never ends is noticed.
const FUEL: u64 = 50_000_000;

/// A message of a conversation: `role`, `content` and whatever else the template understands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message {
    /// Its fields.
    pub fields: Map<String, Json>,
}

impl Message {
    /// A message of a role (`system`, `user`, `assistant`) with a text.
    pub fn new(role: &str, content: &str) -> Self {
        let fields = [("role", role), ("content", content)];
        Self {
            fields: fields
                .into_iter()
                .map(|(key, text)| (key.to_owned(), Json::from(text)))
                .collect(),
        }
    }
}

/// What a template is told beside the messages.
#[derive(Debug, Clone, Default)]
pub struct TemplateOptions {
    /// The text shall end where the assistant's answer begins.
    pub generation_prompt: bool,
    /// Tools that the model may call, as JSON schemas.
    pub tools: Option<Json>,
    /// More variables, such as `enable_thinking`.
    pub variables: Map<String, Json>,
    /// The time `strftime_now` tells; now, if there is none.
    pub now: Option<ZonedDateTime>,
}

/// A chat template in Jinja, as models bring it.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    source: Arc<str>,
    origin: String,
    special: SpecialTokens,
}

impl ChatTemplate {
    /// Compiles a template. `origin` says in messages where it is from.
    ///
    /// # Errors
    /// When it is not a template.
    pub fn new(source: &str, origin: &str, special: SpecialTokens) -> Result<Self, Error> {
        let template = Self::uncompiled(source, origin, special);
        isolation::run(&template, None)?;
        Ok(template)
    }

    /// A template that was not looked at yet.
    pub(super) fn uncompiled(source: &str, origin: &str, special: SpecialTokens) -> Self {
        Self {
            source: without_generation_tags(source).into(),
            origin: origin.to_owned(),
            special,
        }
    }

    /// Where it is from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The template itself.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Special tokens that it knows by name.
    pub(super) fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// The text of a conversation, rendered where templates run (see [`use_template_process`](super::use_template_process)).
    ///
    /// # Errors
    /// When the template refuses it or fails.
    pub fn render(&self, messages: &[Message], options: &TemplateOptions) -> Result<String, Error> {
        isolation::run(self, Some((messages, options)))
    }

    /// Compiles the template in this thread.
    pub(super) fn compile_here(&self) -> Result<(), Error> {
        self.environment(None).map(drop)
    }

    /// The text of a conversation, rendered in this thread.
    pub(super) fn render_here(
        &self,
        messages: &[Message],
        options: &TemplateOptions,
    ) -> Result<String, Error> {
        let environment = self.environment(options.now.clone())?;
        let messages: Vec<Json> = messages
            .iter()
            .map(|message| Json::Object(message.fields.clone()))
            .collect();
        let mut variables: Vec<(&str, Value)> = vec![
            ("messages", python::from_json(&Json::Array(messages))),
            (
                "add_generation_prompt",
                Value::from(options.generation_prompt),
            ),
            (
                "tools",
                python::from_json(options.tools.as_ref().unwrap_or(&Json::Null)),
            ),
            ("documents", Value::from(())),
        ];
        for (name, text) in &self.special.named {
            variables.push((name, Value::from(text.as_str())));
        }
        if !self.special.additional.is_empty() {
            let list = Value::from(self.special.additional.clone());
            variables.push(("additional_special_tokens", list));
        }
        for (name, value) in &options.variables {
            variables.push((name, python::from_json(value)));
        }
        environment
            .get_template(NAME)
            .and_then(|template| template.render(Value::from_pairs(variables)))
            .map_err(|problem| self.problem(&problem))
    }

    /// What Hugging Face's environment has: its functions and filters, Python's methods, blocks that swallow their line.
    fn environment(&self, now: Option<ZonedDateTime>) -> Result<Environment<'_>, Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|problem| self.problem(&problem))?;
        environment.set_syntax(syntax);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_formatter(|out: &mut Output, _: &mut State, value: &Value| {
            out.write_str(&python::display(value))
                .map_err(JinjaError::from)
        });
        environment.set_fuel(Some(FUEL));
        environment.add_filter("tojson", tojson);
        environment.add_filter("string", |value: &Value| python::display(value));
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", move |format: &str| {
            let now = now.clone().unwrap_or_else(ZonedDateTime::now);
            jiff::fmt::strtime::format(format, &now).map_err(|problem| {
                JinjaError::new(ErrorKind::InvalidOperation, problem.to_string())
            })
        });
        environment
            .add_template(NAME, &self.source)
            .map_err(|problem| self.problem(&problem))?;
        Ok(environment)
    }

    fn problem(&self, problem: &JinjaError) -> Error {
        let text = match (problem.detail(), problem.kind()) {
            (Some(detail), ErrorKind::InvalidOperation) => detail.to_owned(),
            (Some(detail), kind) => format!("{kind}: {detail}"),
            (None, kind) => kind.to_string(),
        };
        let line = problem.line().map(|line| format!(" (line {line})"));
        Error::Template {
            origin: self.origin.clone(),
            problem: format!("{text}{}", line.unwrap_or_default()),
        }
    }
}

/// The template's name in its environment.
const NAME: &str = "chat_template";

fn raise_exception(message: &Value) -> Result<Value, JinjaError> {
    Err(JinjaError::new(
        ErrorKind::InvalidOperation,
        format!("it refuses this conversation: {}", python::display(message)),
    ))
}

/// Hugging Face's `tojson` is `json.dumps`, not Jinja's filter for web pages.
#[allow(clippy::needless_pass_by_value, reason = "the signature of a filter")]
fn tojson(value: &Value, indent: Rest<Value>, options: Kwargs) -> Result<Value, JinjaError> {
    let named: Option<Value> = options.get("indent")?;
    // the second positional argument there is `ensure_ascii`, the third `indent`; templates name them
    let indent = named.or_else(|| indent.last().cloned());
    let separators: Option<Vec<String>> = options.get("separators")?;
    let layout = JsonLayout {
        indent: indent.and_then(|indent| indent.as_usize()),
        ascii: options
            .get::<Option<bool>>("ensure_ascii")?
            .unwrap_or(false),
        sorted: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
        separators: separators.and_then(|pair| match <[String; 2]>::try_from(pair) {
            Ok([comma, colon]) => Some((comma, colon)),
            Err(_) => None,
        }),
    };
    options.assert_all_used()?;
    Ok(Value::from(layout.dump(value)))
}

/// The tags `generation` and `endgeneration` mark the assistant's text for training; here they are a condition that holds.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(begin) = rest.find("{%") {
        let Some(length) = rest[begin..].find("%}") else {
            break;
        };
        let (before, tag) = (&rest[..begin + 2], &rest[begin + 2..begin + length]);
        out.push_str(before);
        match tag.trim_matches(|letter: char| letter.is_whitespace() || "-+".contains(letter)) {
            "generation" => out.push_str(&tag.replace("generation", "if true")),
            "endgeneration" => out.push_str(&tag.replace("endgeneration", "endif")),
            _ => out.push_str(tag),
        }
        rest = &rest[begin + length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        let named = vec![("bos_token".to_owned(), "<s>".to_owned())];
        let special = SpecialTokens {
            named,
            ..SpecialTokens::default()
        };
        ChatTemplate::new(source, "test", special).unwrap()
    }

    fn render(source: &str) -> String {
        let options = TemplateOptions {
            generation_prompt: true,
            now: Some("2024-07-26T12:00:00[UTC]".parse().unwrap()),
            ..TemplateOptions::default()
        };
        let messages = [
            Message::new("system", "Be brief."),
            Message::new("user", " Hé? "),
        ];
        template(source).render(&messages, &options).unwrap()
    }

    #[test]
    fn real_templates_features_work() {
        assert_eq!(
            render(
                "{{- bos_token }}\n{%- for message in messages %}\n    {%- if message['role'] == 'system' -%}\n        {% continue %}\n    {%- endif %}\n    {{- '[' + message.content.strip().upper() + ']' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '>' }}\n{%- endif %}\n"
            ),
            "<s>[HÉ?]>"
        );
        assert_eq!(render("{{ messages[-1].content.split('H')[1] }}|"), "é? |");
        assert_eq!(render("{{ strftime_now('%d %b %Y') }}"), "26 Jul 2024");
        assert_eq!(
            render("{{ messages[0] | tojson }}"),
            r#"{"role": "system", "content": "Be brief."}"#
        );
        assert_eq!(
            render("{{ {'a': [1, 2.5, none], 'b<': true} | tojson(indent=2) }}"),
            "{\n  \"a\": [\n    1,\n    2.5,\n    null\n  ],\n  \"b<\": true\n}"
        );
        assert_eq!(
            render("{{ [none, true, 'it\\'s', {'k': 1}] }}{{ tools }}"),
            "[None, True, \"it's\", {'k': 1}]None"
        );
        assert_eq!(
            render(
                "{% set ns = namespace(n=0) %}\n{% for m in messages[::-1] %}\n{% set ns.n = ns.n + loop.index %}\n{% endfor %}\n{{ ns.n }}"
            ),
            "3"
        );
        assert_eq!(
            render("{%- generation -%} x {%- endgeneration %}{{ missing }}"),
            "x"
        );
        assert_eq!(
            render(
                "{% macro f(x, y=2) %}{{ x * y }}{% endmacro %}{{ f(3) }}{{ messages | length }}{{ messages[0].items() | list | length }}"
            ),
            "622"
        );
    }

    #[test]
    fn a_template_that_raises_says_so() {
        let template = template("{{ raise_exception('System role not supported') }}");
        let error = template
            .render(&[], &TemplateOptions::default())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "chat template (test): it refuses this conversation: System role not supported (line 1)"
        );
    }

    #[test]
    fn a_template_that_is_none_is_refused() {
        let error =
            ChatTemplate::new("\n{% if %}", "x.jinja", SpecialTokens::default()).unwrap_err();
        assert!(error.to_string().contains("(line 2)"), "{error}");
        assert!(error.to_string().starts_with("chat template (x.jinja): "));
    }
}

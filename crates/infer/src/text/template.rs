//! Chat templates: from a conversation to the text that the model continues.

use std::sync::Arc;

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::SpecialTokens;
use super::isolation;
use super::jinja::{Problem, Template};
use crate::Error;

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
    /// Parses a template. `origin` says in messages where it is from; they reach clients, so it is a file's name and no path.
    ///
    /// # Errors
    /// When it is not a template, or larger or nested deeper than a template may be.
    pub fn new(source: &str, origin: &str, special: SpecialTokens) -> Result<Self, Error> {
        let template = Self::uncompiled(source, origin, special);
        isolation::run(&template, None)?;
        Ok(template)
    }

    /// A template that was not looked at yet.
    pub(super) fn uncompiled(source: &str, origin: &str, special: SpecialTokens) -> Self {
        Self {
            source: source.into(),
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
    /// When the template refuses it or fails, or uses more steps, memory or time than a template may.
    pub fn render(&self, messages: &[Message], options: &TemplateOptions) -> Result<String, Error> {
        isolation::run(self, Some((messages, options)))
    }

    /// Parses the template in this thread.
    pub(super) fn compile_here(&self) -> Result<(), Error> {
        self.parsed().map(drop)
    }

    /// The text of a conversation, rendered in this thread.
    pub(super) fn render_here(
        &self,
        messages: &[Message],
        options: &TemplateOptions,
    ) -> Result<String, Error> {
        let messages: Vec<Json> = messages
            .iter()
            .map(|message| Json::Object(message.fields.clone()))
            .collect();
        let special: Vec<(&str, Json)> = (self.special.named.iter())
            .map(|(name, text)| (name.as_str(), Json::from(text.as_str())))
            .collect();
        let additional = Json::from(self.special.additional.clone());
        let (messages, prompt) = (Json::Array(messages), Json::Bool(options.generation_prompt));
        // later ones win
        let mut variables: Vec<(&str, &Json)> = vec![
            ("messages", &messages),
            ("add_generation_prompt", &prompt),
            ("tools", options.tools.as_ref().unwrap_or(&Json::Null)),
            ("documents", &Json::Null),
        ];
        variables.extend(special.iter().map(|(name, text)| (*name, text)));
        if !self.special.additional.is_empty() {
            variables.push(("additional_special_tokens", &additional));
        }
        variables.extend((options.variables.iter()).map(|(name, value)| (name.as_str(), value)));
        self.parsed()?
            .render(&variables, options.now.as_ref())
            .map_err(|problem| failed(&self.origin, &problem))
    }

    fn parsed(&self) -> Result<Template, Error> {
        Template::parse(&self.source).map_err(|problem| failed(&self.origin, &problem))
    }
}

fn failed(origin: &str, problem: &Problem) -> Error {
    let line = problem.line.map(|line| format!(" (line {line})"));
    Error::Template {
        origin: origin.to_owned(),
        problem: format!("{}{}", problem.text, line.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        let named = vec![("bos_token".to_owned(), "<s>".to_owned())];
        ChatTemplate::new(
            source,
            "test",
            SpecialTokens {
                named,
                ..SpecialTokens::default()
            },
        )
        .unwrap()
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

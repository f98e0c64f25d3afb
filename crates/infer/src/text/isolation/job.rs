//! What the process for templates is asked, and what it answers.

use std::borrow::Cow;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};

use super::Conversation;
use crate::text::{ChatTemplate, Message, SpecialTokens, TemplateOptions};

/// A template, and the conversation that it shall render.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job<'a> {
    source: Cow<'a, str>,
    special: Cow<'a, SpecialTokens>,
    /// `None`: the template is only compiled.
    messages: Option<Cow<'a, [Message]>>,
    generation_prompt: bool,
    tools: Option<Cow<'a, Json>>,
    variables: Cow<'a, Map<String, Json>>,
    now: Option<Moment>,
    /// The bits of all numbers with a fraction, in their order: a JSON text would not keep them.
    fractions: Vec<u64>,
}

/// A time with its zone by name, and by its offset for who has no table of zones.
#[derive(Debug, Serialize, Deserialize)]
struct Moment {
    named: String,
    fixed: String,
}

/// What came of a job.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The text; nothing where a template was only compiled.
    Text(String),
    /// What is wrong with the template, or what it refuses.
    Problem(String),
}

impl<'a> Job<'a> {
    pub(super) fn new(template: &'a ChatTemplate, conversation: Conversation<'a>) -> Self {
        let mut job = Self {
            source: Cow::Borrowed(template.source()),
            special: Cow::Borrowed(template.special()),
            messages: None,
            generation_prompt: false,
            tools: None,
            variables: Cow::Owned(Map::new()),
            now: None,
            fractions: Vec::new(),
        };
        if let Some((messages, options)) = conversation {
            // each field: a new one must find its way into a job
            let TemplateOptions {
                generation_prompt,
                tools,
                variables,
                now,
            } = options;
            job.messages = Some(Cow::Borrowed(messages));
            job.generation_prompt = *generation_prompt;
            job.tools = tools.as_ref().map(Cow::Borrowed);
            job.variables = Cow::Borrowed(variables);
            job.now = Some(Moment::of(&now.clone().unwrap_or_else(ZonedDateTime::now)));
            job.fractions = fractions(messages, options);
        }
        job
    }

    /// The template, not yet compiled, and the conversation.
    pub(super) fn unpack(self) -> (ChatTemplate, Option<(Vec<Message>, TemplateOptions)>) {
        let template = ChatTemplate::uncompiled(&self.source, "", self.special.into_owned());
        let Some(messages) = self.messages else {
            return (template, None);
        };
        let mut messages = messages.into_owned();
        let mut options = TemplateOptions {
            generation_prompt: self.generation_prompt,
            tools: self.tools.map(Cow::into_owned),
            variables: self.variables.into_owned(),
            now: self.now.and_then(|moment| moment.read()),
        };
        let mut bits = self.fractions.into_iter();
        for number in fraction_places(&mut messages, &mut options) {
            let exact = bits.next().map(f64::from_bits);
            if let Some(exact) = exact.and_then(Number::from_f64) {
                *number = exact;
            }
        }
        (template, Some((messages, options)))
    }
}

impl Moment {
    fn of(time: &ZonedDateTime) -> Self {
        let fixed = time.with_time_zone(TimeZone::fixed(time.offset()));
        Self {
            named: time.to_string(),
            fixed: fixed.to_string(),
        }
    }

    fn read(&self) -> Option<ZonedDateTime> {
        self.named.parse().or_else(|_| self.fixed.parse()).ok()
    }
}

/// The bits of numbers with a fraction.
fn fractions(messages: &[Message], options: &TemplateOptions) -> Vec<u64> {
    fn visit(value: &Json, bits: &mut Vec<u64>) {
        match value {
            Json::Number(number) if number.is_f64() => {
                bits.extend(number.as_f64().map(f64::to_bits));
            }
            Json::Array(list) => list.iter().for_each(|value| visit(value, bits)),
            Json::Object(map) => map.values().for_each(|value| visit(value, bits)),
            _ => {}
        }
    }
    let mut bits = Vec::new();
    let fields = messages.iter().flat_map(|message| message.fields.values());
    for value in fields
        .chain(&options.tools)
        .chain(options.variables.values())
    {
        visit(value, &mut bits);
    }
    bits
}

/// Where they are, in the same order.
fn fraction_places<'a>(
    messages: &'a mut [Message],
    options: &'a mut TemplateOptions,
) -> Vec<&'a mut Number> {
    fn visit<'a>(value: &'a mut Json, places: &mut Vec<&'a mut Number>) {
        match value {
            Json::Number(number) if number.is_f64() => places.push(number),
            Json::Array(list) => list.iter_mut().for_each(|value| visit(value, places)),
            Json::Object(map) => map.values_mut().for_each(|value| visit(value, places)),
            _ => {}
        }
    }
    let mut places = Vec::new();
    let fields = messages
        .iter_mut()
        .flat_map(|message| message.fields.values_mut());
    let options = options
        .tools
        .iter_mut()
        .chain(options.variables.values_mut());
    for value in fields.chain(options) {
        visit(value, &mut places);
    }
    places
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conversation_arrives_bit_by_bit() {
        let special = SpecialTokens {
            named: vec![("bos_token".to_owned(), "<s>".to_owned())],
            additional: vec!["<extra>".to_owned()],
        };
        let template = ChatTemplate::uncompiled("{{ messages }}", "here", special.clone());
        let mut message = Message::new("user", "Größe?\n");
        let odd = json!([
            0.1,
            2.0,
            -0.0,
            1e300,
            5e-324,
            0.300_000_000_000_000_04,
            u64::MAX,
            i64::MIN,
            null
        ]);
        message.fields.insert("numbers".to_owned(), odd);
        let messages = [message];
        let options = TemplateOptions {
            generation_prompt: true,
            tools: Some(json!({"b": 1.000_000_000_000_000_2, "a": [true]})),
            variables: Map::from_iter([("x".to_owned(), json!(123_456_789.123_456_78))]),
            now: Some("2024-07-26T12:00:00[Europe/Berlin]".parse().unwrap()),
        };
        let job = Job::new(&template, Some((&messages, &options)));
        let sent = serde_json::to_vec(&job).unwrap();
        let job: Job<'_> = serde_json::from_slice(&sent).unwrap();
        let (read, conversation) = job.unpack();
        let (read_messages, read_options) = conversation.unwrap();
        assert_eq!(read.source(), "{{ messages }}");
        assert_eq!(read.special(), &special);
        assert_eq!(read_messages, messages);
        assert_eq!(format!("{read_options:?}"), format!("{options:?}"));
    }

    #[test]
    fn a_time_without_a_table_of_zones_keeps_its_offset() {
        let moment = Moment {
            named: "2024-07-26T12:00:00+02:00[Nowhere/Land]".to_owned(),
            fixed: "2024-07-26T12:00:00+02:00[+02:00]".to_owned(),
        };
        assert_eq!(moment.read().unwrap().to_string(), moment.fixed);
    }
}

//! Questions with answers, from JSONL.

use std::path::Path;

use serde_json::{Map, Value};
use weightsmith_tensors::json;

use crate::Error;
use crate::text::Message;

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What the model is asked.
    pub prompt: Prompt,
    /// The line of the file, from 1.
    pub line: usize,
    /// What sort of question it is, for counts of their own.
    pub kind: Option<String>,
    /// What is right.
    pub answer: Answer,
}

/// How a question is put.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    /// A conversation, through the chat template.
    Messages(Vec<Message>),
    /// A text that is continued.
    Text(String),
}

/// What is right.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// This text.
    Text(String),
    /// One of several.
    Choice {
        /// All of them.
        choices: Vec<String>,
        /// Index of the right one.
        right: usize,
    },
}

/// The questions of a file, all of one form.
#[derive(Debug, Clone, PartialEq)]
pub struct Tasks {
    /// The questions, in the file's order.
    pub questions: Vec<Question>,
    /// They have choices.
    pub multiple_choice: bool,
}

/// Reads the text of a JSONL file; `path` is for messages. A line is an object:
///
/// - `{"messages": [{"role": …, "content": …}, …], "answer": "text", "kind": "…"}`: the answer is generated and must be the text;
/// - `{"question": "text", "choices": ["…", …], "answer": 0}`: the choices are weighed. `answer` is an index or one of the choices.
///
/// `question` and `messages` go with either form; `kind` may be left out. Empty lines count for nothing.
///
/// # Errors
/// For the first line that is not one of these, or of another form than those before, with its number.
pub fn read_tasks(text: &str, path: &Path) -> Result<Tasks, Error> {
    let mut questions: Vec<Question> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let at = |problem: String| Error::Line {
            path: path.to_owned(),
            line: index + 1,
            problem,
        };
        let question = question(line, index + 1).map_err(at)?;
        if let Some(first) = questions.first()
            && has_choices(first) != has_choices(&question)
        {
            return Err(at(format!(
                "with `choices` in one line and without in another (line {}); expected the same format in all lines",
                first.line
            )));
        }
        questions.push(question);
    }
    let Some(first) = questions.first() else {
        return Err(Error::File {
            path: path.to_owned(),
            problem: "no questions; expected one JSON object per line".to_owned(),
        });
    };
    Ok(Tasks {
        multiple_choice: has_choices(first),
        questions,
    })
}

fn has_choices(question: &Question) -> bool {
    matches!(question.answer, Answer::Choice { .. })
}

fn question(line: &str, number: usize) -> Result<Question, String> {
    let value: Value =
        json::read(line.as_bytes()).map_err(|problem| format!("not JSON: {problem}"))?;
    let Value::Object(fields) = value else {
        return Err(format!("expected a JSON object, found {}", kind_of(&value)));
    };
    let kind = match fields.get("kind") {
        None | Some(Value::Null) => None,
        Some(Value::String(kind)) => Some(kind.clone()),
        Some(other) => return Err(format!("`kind` is {}; expected a string", kind_of(other))),
    };
    Ok(Question {
        prompt: prompt(&fields)?,
        line: number,
        kind,
        answer: answer(&fields)?,
    })
}

fn prompt(fields: &Map<String, Value>) -> Result<Prompt, String> {
    match (fields.get("messages"), fields.get("question")) {
        (Some(Value::Array(list)), None) if !list.is_empty() => {
            let messages = list.iter().map(message).collect::<Result<_, _>>()?;
            Ok(Prompt::Messages(messages))
        }
        (None, Some(Value::String(text))) => Ok(Prompt::Text(text.clone())),
        (Some(_), Some(_)) => {
            Err("both `messages` and `question`; expected one of them".to_owned())
        }
        (Some(other), None) => Err(format!(
            "`messages` is {}; expected a list of messages",
            kind_of(other)
        )),
        (None, Some(other)) => Err(format!(
            "`question` is {}; expected a string",
            kind_of(other)
        )),
        (None, None) => Err("no `messages` and no `question`; expected one of them".to_owned()),
    }
}

fn message(value: &Value) -> Result<Message, String> {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    match (value, field("role"), value.get("content")) {
        (Value::Object(fields), Some(_), Some(_)) => Ok(Message {
            fields: fields.clone(),
        }),
        _ => Err("a message without `role` or `content`; expected an object with both".to_owned()),
    }
}

fn answer(fields: &Map<String, Value>) -> Result<Answer, String> {
    let answer = fields.get("answer").ok_or("no `answer`")?;
    let Some(choices) = fields.get("choices") else {
        return match answer {
            Value::String(text) => Ok(Answer::Text(text.clone())),
            other => Err(format!("`answer` is {}; expected a string", kind_of(other))),
        };
    };
    let choices: Option<Vec<String>> = choices
        .as_array()
        .map(|list| {
            list.iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    let choices = choices
        .filter(|choices| choices.len() > 1 && choices.iter().all(|one| !one.is_empty()))
        .ok_or("`choices` is not a list of at least two non-empty strings")?;
    let right = match answer {
        Value::Number(index) => index
            .as_u64()
            .map(|index| index as usize)
            .filter(|&index| index < choices.len()),
        Value::String(text) => choices.iter().position(|choice| choice == text),
        _ => None,
    };
    let right = right.ok_or_else(|| {
        format!(
            "`answer` is {answer}; expected an index from 0 to {} or one of the choices",
            choices.len() - 1
        )
    })?;
    Ok(Answer::Choice { choices, right })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(list) if list.is_empty() => "an empty list",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        read_tasks(text, Path::new("x.jsonl"))
            .unwrap_err()
            .to_string()
    }

    const GOOD: &str = r#"{"question": "1 + 1 =", "answer": "2"}"#;

    #[test]
    fn both_forms_are_read() {
        let exact =
            r#"{"messages": [{"role": "user", "content": "hi"}], "answer": "ho", "kind": "k"}"#;
        let tasks = read_tasks(&format!("{exact}\n\n{GOOD}\n"), Path::new("x")).unwrap();
        assert!(!tasks.multiple_choice);
        assert_eq!(tasks.questions.len(), 2);
        assert_eq!(tasks.questions[1].line, 3);
        assert_eq!(tasks.questions[0].kind.as_deref(), Some("k"));
        let choice = r#"{"question": "q", "choices": ["a", "b"], "answer": "b"}"#;
        let tasks = read_tasks(choice, Path::new("x")).unwrap();
        let choices = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            tasks.questions[0].answer,
            Answer::Choice { choices, right: 1 }
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        assert!(problem(&format!("{GOOD}\n{{oops")).starts_with("x.jsonl:2: not JSON: "));
        assert_eq!(
            problem("[1]"),
            "x.jsonl:1: expected a JSON object, found a list"
        );
        assert_eq!(problem("{\"question\": \"q\"}"), "x.jsonl:1: no `answer`");
        assert_eq!(
            problem(r#"{"question": "q", "choices": ["a", "b"], "answer": 2}"#),
            "x.jsonl:1: `answer` is 2; expected an index from 0 to 1 or one of the choices"
        );
        assert_eq!(
            problem(r#"{"messages": [{"role": "user"}], "answer": "a"}"#),
            "x.jsonl:1: a message without `role` or `content`; expected an object with both"
        );
        assert!(problem("\n").contains("no questions"));
        let mixed = format!(
            "{GOOD}\n{}",
            r#"{"question": "q", "choices": ["a", "b"], "answer": 0}"#
        );
        assert!(problem(&mixed).contains("x.jsonl:2: with `choices` in one line"));
    }
}

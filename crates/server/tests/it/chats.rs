//! `/v1/chat/completions`.

use serde_json::{Value, json};

use crate::world::World;

const PATH: &str = "/v1/chat/completions";

fn question(text: &str) -> Value {
    json!({"model": "instruct", "messages": [{"role": "user", "content": text}]})
}

#[tokio::test]
async fn a_question_is_answered() {
    let world = World::new();
    let answer = world.ask(PATH, &question("Where does Anna live?")).await;
    assert_eq!(answer["object"], "chat.completion");
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["role"], "assistant");
    assert_eq!(choice["message"]["content"], "Anna lives in Rome.");
    assert_eq!(choice["finish_reason"], "stop");
    assert!(choice["logprobs"].is_null());
    let parts = json!({"model": "instruct", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Where does Anna live?"}]},
    ]});
    let answer = world.ask(PATH, &parts).await;
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "Anna lives in Rome."
    );
}

#[tokio::test]
async fn a_stream_begins_with_the_role_and_has_the_same_text() {
    let world = World::new();
    let mut body = question("Where does Anna live?");
    body["stream"] = json!(true);
    body["n"] = json!(2);
    let events = world.post(PATH, &body).await.events();
    let mut texts = [String::new(), String::new()];
    let mut finishes = [Value::Null, Value::Null];
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["object"], "chat.completion.chunk");
        let choice = &event["choices"][0];
        assert_eq!(choice["delta"]["role"].is_string(), number < 2);
        let index = choice["index"].as_u64().expect("a number") as usize;
        texts[index] += choice["delta"]["content"].as_str().unwrap_or_default();
        if !choice["finish_reason"].is_null() {
            finishes[index] = choice["finish_reason"].clone();
        }
    }
    assert_eq!(texts, ["Anna lives in Rome.", "Anna lives in Rome."]);
    assert_eq!(finishes, ["stop", "stop"]);
}

#[tokio::test]
async fn log_probabilities_come_with_alternatives() {
    let world = World::new();
    let mut body = question("Where does Anna live?");
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(3);
    let answer = world.ask(PATH, &body).await;
    let content = answer["choices"][0]["logprobs"]["content"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!(content.len() as u64, answer["usage"]["completion_tokens"]);
    let (mut text, mut bytes) = (String::new(), Vec::new());
    for token in &content {
        let top = token["top_logprobs"].as_array().expect("a list");
        assert_eq!(top.len(), 3);
        // greedy: what was chosen is the likeliest
        assert_eq!(top[0]["logprob"], token["logprob"]);
        if token != &content[content.len() - 1] {
            assert_eq!(top[0]["token"], token["token"]);
        }
        let some: Vec<u8> = serde_json::from_value(token["bytes"].clone()).expect("bytes");
        bytes.extend(some);
        text += token["token"].as_str().expect("a text");
    }
    assert_eq!(text, "Anna lives in Rome.");
    assert_eq!(bytes, text.as_bytes());
    // the token that ends an answer is none of its text, and is named where tokens are compared
    let last = &content[content.len() - 1];
    assert_eq!((&last["token"], &last["bytes"]), (&json!(""), &json!([])));
    assert_eq!(last["top_logprobs"][0]["token"], "<|im_end|>");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let world = World::new();
    for (name, value, expected) in [
        ("messages", json!(null), "`messages` is missing"),
        ("messages", json!([]), "`messages` is empty"),
        (
            "messages",
            json!("hi"),
            "`messages` is a string; expected a list",
        ),
        (
            "messages",
            json!(["hi"]),
            "`messages[0]` is a string; expected an object",
        ),
        (
            "messages",
            json!([{"content": "hi"}]),
            "`messages[0].role` is null; expected a string",
        ),
        (
            "messages",
            json!([{"role": "boss", "content": "hi"}]),
            "`messages[0].role` is `boss`; expected",
        ),
        (
            "messages",
            json!([{"role": "user"}]),
            "`messages[0].content` is null; expected a string",
        ),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]),
            "`messages[0].content[0]`: `image_url` is not supported",
        ),
        (
            "tools",
            json!([{"type": "function"}]),
            "`tools`: tools are not supported",
        ),
        (
            "tool_choice",
            json!("required"),
            "`tool_choice`: tools are not supported",
        ),
        (
            "response_format",
            json!({"type": "json_object"}),
            "`response_format`: only",
        ),
        (
            "messages",
            json!([{"role": "tool", "content": "Rome", "tool_call_id": "a"}]),
            "`messages[0].role`: tools are not supported",
        ),
        ("audio", json!({"voice": "a"}), "`audio`: not supported"),
        ("modalities", json!(["audio"]), "`modalities`: only"),
        (
            "max_completion_tokens",
            json!(0),
            "`max_completion_tokens` is 0; expected",
        ),
        ("top_logprobs", json!(-1), "`top_logprobs` is -1; expected"),
        ("max_tokens", json!(2_000_000), "the prompt has "),
    ] {
        let mut body = question("Where does Anna live?");
        body[name] = value;
        let message = world.post(PATH, &body).await.refusal(400);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test]
async fn the_newer_name_of_the_limit_goes_first() {
    let world = World::new();
    let mut body = question("Where does Anna live?");
    body["max_tokens"] = json!(5);
    body["max_completion_tokens"] = json!(2);
    let answer = world.ask(PATH, &body).await;
    assert_eq!(answer["usage"]["completion_tokens"], 2);
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}

/// The tokens of a conversation.
async fn tokens(world: &World, messages: &Value) -> Value {
    let body = json!({"messages": messages});
    world.ask("/tokenize", &body).await["tokens"].clone()
}

#[tokio::test]
async fn histories_of_other_clients_are_the_same_conversation() {
    let world = World::new();
    let with = |answer: &Value| {
        json!([
            {"role": "system", "content": "Be brief.", "name": "sys"},
            {"role": "user", "content": "Where does Anna live?", "name": "kim"},
            answer,
            {"role": "user", "content": [{"type": "text", "text": "How old is Tom?", "cache_control": {"type": "ephemeral"}}]},
        ])
    };
    let plain = with(&json!({"role": "assistant", "content": "Anna lives in Rome."}));
    let expected = tokens(&world, &plain).await;
    for answer in [
        json!({"role": "assistant", "content": "Anna lives in Rome.", "refusal": null, "annotations": [], "audio": null, "function_call": null, "tool_calls": []}),
        json!({"role": "assistant", "content": [{"type": "output_text", "text": "Anna lives in Rome."}], "tool_calls": null}),
        json!({"role": "assistant", "content": null, "refusal": "Anna lives in Rome."}),
    ] {
        let messages = with(&answer);
        assert_eq!(tokens(&world, &messages).await, expected, "{answer}");
        let body = json!({"model": "instruct", "messages": messages, "max_tokens": 4});
        world.ask(PATH, &body).await;
    }
    let one =
        json!([{"role": "user", "content": "File:\nAnna lives in Rome.\nWhere does Anna live?"}]);
    let parts = json!([{"role": "user", "content": [
        {"type": "text", "text": "File:\nAnna lives in Rome."}, {"type": "input_text", "text": "Where does Anna live?"},
    ]}]);
    assert_eq!(tokens(&world, &parts).await, tokens(&world, &one).await);
}

#[tokio::test]
async fn the_empty_forms_of_fields_change_nothing() {
    let world = World::new();
    for more in [
        json!({"model": null, "max_tokens": -1}),
        json!({"model": "", "max_completion_tokens": -1}),
        json!({"tools": [], "tool_choice": "auto", "functions": null, "function_call": "none", "parallel_tool_calls": true}),
        json!({"tools": null, "tool_choice": null, "response_format": null, "logit_bias": null}),
        json!({"response_format": {"type": "text"}, "modalities": ["text"], "audio": null, "stop": null}),
        json!({"logprobs": false, "top_logprobs": null, "n": 1, "stop": [], "seed": null}),
        json!({"stream_options": null, "metadata": {}, "store": false, "service_tier": "auto", "user": ""}),
        json!({"temperature": null, "top_p": null, "presence_penalty": null, "frequency_penalty": 0}),
        json!({"chat_template_kwargs": null, "add_generation_prompt": null, "documents": [], "web_search_options": {}}),
        json!({"continue_final_message": false, "chat_template": null, "guided_json": null, "ttl": 60}),
    ] {
        let mut body = question("Where does Anna live?");
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let answer = world.ask(PATH, &body).await;
        let text = &answer["choices"][0]["message"]["content"];
        assert_eq!(text, "Anna lives in Rome.", "{more}");
    }
}

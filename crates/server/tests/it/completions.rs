//! `/v1/completions`.

use serde_json::{Value, json};

use weightsmith_server::Settings;

use crate::world::{World, served};

const PATH: &str = "/v1/completions";

fn texts(answer: &Value) -> Vec<String> {
    let choices = answer["choices"].as_array().expect("choices");
    for (index, choice) in choices.iter().enumerate() {
        assert_eq!(choice["index"], index);
    }
    let texts = choices.iter().map(|choice| choice["text"].as_str());
    texts.map(|text| text.expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn prompts_come_in_four_forms() {
    let world = World::new();
    let tokens = world
        .ask("/tokenize", &json!({"prompt": "Anna lives"}))
        .await;
    let tokens = &tokens["tokens"];
    let one = world
        .ask(
            PATH,
            &json!({"model": "instruct", "prompt": "Anna lives", "max_tokens": 6}),
        )
        .await;
    let text = texts(&one).remove(0);
    assert!(!text.is_empty());
    assert_eq!(one["object"], "text_completion");
    assert_eq!(one["choices"][0]["finish_reason"], "length");
    assert_eq!(one["usage"]["completion_tokens"], 6);
    assert_eq!(
        one["usage"]["prompt_tokens"],
        tokens.as_array().expect("tokens").len()
    );
    for prompt in [
        json!(tokens),
        json!(["Anna lives", "Anna lives"]),
        json!([tokens, tokens, tokens]),
    ] {
        let body = json!({"model": "instruct", "prompt": prompt, "max_tokens": 6});
        let answer = world.ask(PATH, &body).await;
        for other in texts(&answer) {
            assert_eq!(other, text, "{prompt}");
        }
    }
}

/// What lm-evaluation-harness sends and reads.
#[tokio::test]
async fn the_prompts_own_log_probabilities_are_told() {
    let world = World::new();
    let tokens = world
        .ask(
            "/tokenize",
            &json!({"prompt": "Where does Anna live? Anna lives in Rome."}),
        )
        .await;
    let tokens: Vec<u64> = serde_json::from_value(tokens["tokens"].clone()).expect("tokens");
    let body = json!({
        "model": "instruct", "prompt": [tokens, tokens[..5]], "temperature": 0,
        "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": true,
    });
    let answer = world.ask(PATH, &body).await;
    for (choice, length) in [(0, tokens.len()), (1, 5)] {
        let logprobs = &answer["choices"][choice]["logprobs"];
        let list = |name: &str| logprobs[name].as_array().expect("a list").clone();
        let (of_tokens, top) = (list("token_logprobs"), list("top_logprobs"));
        for name in ["tokens", "token_logprobs", "top_logprobs", "text_offset"] {
            assert_eq!(list(name).len(), length + 1, "{name}");
        }
        assert!(of_tokens[0].is_null() && top[0].is_null());
        for (logprob, top) in of_tokens.iter().zip(&top).skip(1) {
            let logprob = logprob.as_f64().expect("a number");
            let values = top.as_object().expect("alternatives").values();
            let best = values
                .map(|one| one.as_f64().expect("a number"))
                .fold(f64::MIN, f64::max);
            assert!(logprob <= best && best <= 0.0);
        }
        // the last is the token that was chosen: greedily
        let (name, best) = (list("tokens").pop().expect("one"), &top[length]);
        assert_eq!(best[name.as_str().expect("a name")], of_tokens[length]);
    }
    let alone = json!({
        "model": "instruct", "prompt": tokens, "max_tokens": 0, "logprobs": 1, "echo": true,
    });
    let alone = world.ask(PATH, &alone).await;
    let all = answer["choices"][0]["logprobs"]["token_logprobs"]
        .as_array()
        .expect("a list");
    let only = alone["choices"][0]["logprobs"]["token_logprobs"]
        .as_array()
        .expect("a list");
    assert_eq!(only[..], all[..tokens.len()]);
    assert_eq!(alone["choices"][0]["finish_reason"], "length");
    assert_eq!(alone["usage"]["completion_tokens"], 0);
}

#[tokio::test]
async fn an_echo_comes_before_the_text_and_offsets_count_its_characters() {
    let world = World::new();
    let body = json!({
        "model": "instruct", "prompt": "Größe: Anna", "max_tokens": 3, "logprobs": 0, "echo": true,
    });
    let answer = world.ask(PATH, &body).await;
    let text = texts(&answer).remove(0);
    assert!(text.starts_with("Größe: Anna"), "{text}");
    let logprobs = &answer["choices"][0]["logprobs"];
    let names = logprobs["tokens"].as_array().expect("a list");
    let offsets = logprobs["text_offset"].as_array().expect("a list");
    let mut joined = String::new();
    for (name, offset) in names.iter().zip(offsets) {
        assert_eq!(*offset, joined.chars().count());
        joined += name.as_str().expect("a text");
    }
    assert_eq!(joined, text);
    let nothing = json!({"model": "instruct", "prompt": "Anna", "max_tokens": 0, "echo": true});
    assert_eq!(texts(&world.ask(PATH, &nothing).await), ["Anna"]);
}

#[tokio::test]
async fn a_seed_decides_and_choices_differ() {
    let world = World::new();
    let body = json!({
        "model": "instruct", "prompt": "Anna lives", "n": 4, "temperature": 2.0, "seed": 7, "max_tokens": 12,
    });
    let first = texts(&world.ask(PATH, &body).await);
    assert_eq!(first, texts(&world.ask(PATH, &body).await));
    assert_eq!(first.len(), 4);
    assert!(first.iter().any(|text| *text != first[0]), "{first:?}");
    let single = json!({
        "model": "instruct", "prompt": "Anna lives", "temperature": 2.0, "seed": 9, "max_tokens": 12,
    });
    assert_eq!(texts(&world.ask(PATH, &single).await)[0], first[2]);
}

#[tokio::test]
async fn a_stop_text_never_leaks() {
    let world = World::new();
    let plain = json!({"model": "instruct", "prompt": "Anna lives", "max_tokens": 24});
    let whole = texts(&world.ask(PATH, &plain).await).remove(0);
    let characters: Vec<char> = whole.chars().collect();
    for length in [1, 2, 5, 9] {
        let stop: String = characters[8..8 + length].iter().collect();
        let expected = &whole[..whole.find(&stop).expect("it is there")];
        let mut body = plain.clone();
        body["stop"] = json!(["never to be seen", stop]);
        body["logprobs"] = json!(0);
        let answer = world.ask(PATH, &body).await;
        assert_eq!(texts(&answer), [expected]);
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        let offsets = answer["choices"][0]["logprobs"]["text_offset"].clone();
        for offset in offsets.as_array().expect("offsets") {
            assert!(offset.as_u64().expect("a number") < expected.chars().count() as u64);
        }
        body["stream"] = json!(true);
        let events = world.post(PATH, &body).await.events();
        let streamed: String = events
            .iter()
            .map(|event| event["choices"][0]["text"].as_str().expect("a text"))
            .collect();
        assert_eq!(streamed, expected);
    }
}

#[tokio::test]
async fn a_stream_has_the_same_parts_and_the_numbers_at_its_end() {
    let world = World::new();
    let mut body = json!({
        "model": "instruct", "prompt": ["Anna lives", "Tom is"], "max_tokens": 9, "logprobs": 2, "echo": true,
    });
    let whole = world.ask(PATH, &body).await;
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let mut events = world.post(PATH, &body).await.events();
    let last = events.pop().expect("usage");
    for name in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        assert_eq!(last["usage"][name], whole["usage"][name]);
    }
    assert_eq!(last["choices"], json!([]));
    let mut texts = [String::new(), String::new()];
    let mut tokens = [Vec::new(), Vec::new()];
    for event in events {
        assert!(event["usage"].is_null());
        let choice = &event["choices"][0];
        let index = choice["index"].as_u64().expect("a number") as usize;
        texts[index] += choice["text"].as_str().expect("a text");
        tokens[index].extend(
            choice["logprobs"]["token_logprobs"]
                .as_array()
                .expect("a list")
                .clone(),
        );
    }
    for index in 0..2 {
        assert_eq!(whole["choices"][index]["text"], texts[index]);
        assert_eq!(
            whole["choices"][index]["logprobs"]["token_logprobs"],
            json!(tokens[index])
        );
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let world = World::new();
    let good = json!({"model": "instruct", "prompt": "Anna"});
    for (name, value, expected) in [
        ("prompt", json!(null), "`prompt` is missing"),
        (
            "prompt",
            json!([]),
            "`prompt` is a list; expected a string, a list of strings",
        ),
        ("prompt", json!([1, "a"]), "`prompt` is a list; expected"),
        ("prompt", json!([-1]), "`prompt` is a list; expected"),
        (
            "prompt",
            json!(""),
            "`prompt` is empty; expected at least one token",
        ),
        (
            "prompt",
            json!([[3], []]),
            "`prompt` is empty; expected at least one token",
        ),
        (
            "prompt",
            json!([999_999]),
            "`prompt` is token 999999; expected tokens from 0 to 1058",
        ),
        (
            "max_tokens",
            json!(-2),
            "`max_tokens` is -2; expected a whole number from 0",
        ),
        (
            "max_tokens",
            json!(1.5),
            "`max_tokens` is 1.5; expected a whole number",
        ),
        (
            "temperature",
            json!("0"),
            "`temperature` is a string; expected a number from 0 to 2",
        ),
        (
            "temperature",
            json!(-0.1),
            "`temperature` is -0.1; expected a number from 0 to 2",
        ),
        ("top_p", json!(1.1), "`top_p` is 1.1; expected"),
        (
            "n",
            json!(0),
            "`n` is 0; expected a whole number from 1 to 32",
        ),
        ("n", json!(true), "`n` is true; expected"),
        ("logprobs", json!(21), "`logprobs` is 21; expected"),
        (
            "stop",
            json!([1]),
            "`stop` is a list; expected a string or a list",
        ),
        (
            "stop",
            json!(["a".repeat(65_537)]),
            "`stop` is 1 texts of 65537 bytes; expected at most",
        ),
        (
            "stop",
            json!(vec!["a"; 4097]),
            "`stop` is 4097 texts of 4097 bytes; expected",
        ),
        ("guided_regex", json!("a+"), "`guided_regex`: not supported"),
        (
            "stream",
            json!("yes"),
            "`stream` is a string; expected true or false",
        ),
        ("echo", json!(1), "`echo` is 1; expected true or false"),
        (
            "best_of",
            json!(3),
            "`best_of`: not supported unless it is equal to `n`",
        ),
        ("suffix", json!("x"), "`suffix`: not supported"),
        ("logit_bias", json!({"5": 1}), "`logit_bias`: not supported"),
        (
            "presence_penalty",
            json!(1),
            "`presence_penalty`: not supported",
        ),
        ("model", json!(7), "`model` is 7; expected a string"),
    ] {
        let mut body = good.clone();
        body[name] = value;
        let message = world.post(PATH, &body).await.refusal(400);
        assert!(message.starts_with(expected), "{message}");
    }
    let mut body = good.clone();
    body["model"] = json!("other");
    let message = world.post(PATH, &body).await.refusal(404);
    assert_eq!(message, "no model `other`; available: instruct");
    body = good.clone();
    body["max_tokens"] = json!(131_072);
    let message = world.post(PATH, &body).await.refusal(400);
    assert!(
        message.ends_with("; the context is 131072 tokens"),
        "{message}"
    );
    body = good.clone();
    body["user"] = json!({"anything": ["else"]});
    assert!(world.ask(PATH, &body).await["choices"].is_array());
}

#[tokio::test]
async fn the_empty_forms_of_fields_change_nothing() {
    let world = World::new();
    let plain = json!({"model": "instruct", "prompt": "Anna lives", "max_tokens": 6});
    let expected = texts(&world.ask(PATH, &plain).await);
    for more in [
        json!({"model": null}),
        json!({"model": ""}),
        json!({"temperature": null, "top_p": null, "n": null, "seed": null, "echo": null}),
        json!({"stop": null}),
        json!({"stop": ""}),
        json!({"stop": []}),
        json!({"stop": ["", ""]}),
        json!({"logit_bias": {}, "presence_penalty": 0, "frequency_penalty": 0}),
        json!({"suffix": null, "best_of": 1, "n": 1, "logprobs": null, "stream": false}),
        json!({"suffix": "", "best_of": null, "logprobs": false, "stream_options": null}),
        json!({"stream": null, "stream_options": {"include_usage": null}, "user": "kim"}),
        json!({"grammar": "", "json_schema": null, "min_tokens": 0, "response_format": {"type": "text"}}),
        json!({"max_tokens": null, "n_predict": 6}),
        json!({"top_k": -1, "min_p": 0, "repeat_penalty": 1.0, "temperature": 0}),
    ] {
        let mut body = plain.clone();
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        assert_eq!(texts(&world.ask(PATH, &body).await), expected, "{more}");
    }
}

#[tokio::test]
async fn without_a_limit_the_text_goes_on_to_the_end_of_the_context() {
    let settings = Settings {
        context: Some(40),
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    for name in ["max_tokens", "n_predict"] {
        let mut body = json!({"prompt": "Anna lives", "ignore_eos": true});
        body[name] = json!(-1);
        let answer = world.ask(PATH, &body).await;
        assert_eq!(answer["usage"]["total_tokens"], 40, "{name}");
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert_eq!(answer["model"], "instruct");
    }
}

#[tokio::test]
async fn many_stop_texts_are_looked_for() {
    let world = World::new();
    let plain = json!({"prompt": "Anna lives", "max_tokens": 24});
    let whole = texts(&world.ask(PATH, &plain).await).remove(0);
    let stop: String = whole.chars().skip(8).take(3).collect();
    let mut stops: Vec<String> = (0..2000).map(|number| format!("never {number}")).collect();
    stops.push(String::new());
    stops.push(stop.clone());
    let mut body = plain.clone();
    body["stop"] = json!(stops);
    let expected = &whole[..whole.find(&stop).expect("it is there")];
    assert_eq!(texts(&world.ask(PATH, &body).await), [expected]);
}

#[tokio::test]
async fn a_seed_of_minus_one_is_any() {
    let world = World::new();
    let body = json!({"prompt": "Anna lives", "seed": -1, "temperature": 2.0, "max_tokens": 40, "ignore_eos": true});
    let first = texts(&world.ask(PATH, &body).await);
    assert_ne!(texts(&world.ask(PATH, &body).await), first);
}

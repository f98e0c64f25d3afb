//! From a conversation to its answer on the really trained models.

use std::path::Path;

use weightsmith_infer::{
    Cancel, Companions, DecoderOptions, Error, Finish, GenerationSettings, Message, Model,
    SamplingSettings, Session, TemplateOptions,
};

use crate::support::{open, open_as, open_with, repository};
use crate::tiny_qwen2::goldens;

fn model(name: &str) -> Model {
    let folder = repository("fixtures/tiny-qwen2").join(name);
    Model {
        decoder: open(&folder),
        companions: Companions::read(&folder).unwrap(),
    }
}

fn settings(model: &Model, max_tokens: usize) -> GenerationSettings {
    GenerationSettings {
        max_tokens: Some(max_tokens),
        ..model.companions.defaults.settings()
    }
}

#[test]
fn texts_are_those_of_transformers() {
    for name in ["base", "instruct"] {
        let model = model(name);
        let tokenizer = &model.companions.tokenizer;
        for golden in goldens().iter().filter(|golden| golden.model == name) {
            let prompt = tokenizer.encode(&golden.text, false).unwrap();
            assert_eq!(prompt, golden.prompt_ids, "{}", golden.text);
            let mut session = Session::new(&model);
            let settings = GenerationSettings {
                end: Vec::new(),
                show_special: true,
                ..settings(&model, golden.generated_ids.len())
            };
            let generation = session
                .generate(&prompt, &settings, Cancel::default())
                .unwrap();
            let (text, report) = generation.finish().unwrap();
            assert_eq!(text, golden.generated_text);
            assert_eq!(report.generated_tokens, golden.generated_ids.len());
            assert_eq!(report.finish, Some(Finish::MaxTokens));
        }
    }
}

#[test]
fn a_chat_ends_with_the_turn_and_reuses_its_history() {
    let model = model("instruct");
    let template = model.companions.template().unwrap();
    let tokenizer = &model.companions.tokenizer;
    let golden = goldens();
    let golden = golden
        .iter()
        .find(|golden| golden.model == "instruct")
        .unwrap();
    let question = golden.text.rsplit("user\n").next().unwrap();
    let question = question.split("<|im_end|>").next().unwrap();
    let mut messages = vec![Message::new("user", question)];
    let options = TemplateOptions {
        generation_prompt: true,
        ..TemplateOptions::default()
    };
    let mut session = Session::new(&model);
    let mut reused = Vec::new();
    for _ in 0..2 {
        let text = template.render(&messages, &options).unwrap();
        let prompt = tokenizer.encode(&text, false).unwrap();
        let settings = settings(&model, 64);
        let generation = session
            .generate(&prompt, &settings, Cancel::default())
            .unwrap();
        let (answer, report) = generation.finish().unwrap();
        assert!(matches!(report.finish, Some(Finish::End(_))), "{report:?}");
        assert!(!answer.is_empty() && !answer.contains("<|"), "{answer}");
        assert!(report.time_to_first_token.is_some());
        reused.push(report.reused_tokens);
        messages.push(Message::new("assistant", &answer));
        messages.push(Message::new("user", question));
    }
    assert_eq!(reused[0], 0);
    assert!(reused[1] > 20, "{reused:?}");
}

#[test]
fn a_conversation_renders_as_transformers_renders_it() {
    let model = model("instruct");
    for golden in goldens().iter().filter(|golden| golden.model == "instruct") {
        let Some((system, rest)) = golden.text.split_once("<|im_end|>\n<|im_start|>user\n") else {
            continue;
        };
        let system = system.trim_start_matches("<|im_start|>system\n");
        let user = rest.split("<|im_end|>").next().unwrap();
        let messages = [Message::new("system", system), Message::new("user", user)];
        let options = TemplateOptions {
            generation_prompt: true,
            ..TemplateOptions::default()
        };
        let template = model.companions.template().unwrap();
        assert_eq!(template.render(&messages, &options).unwrap(), golden.text);
        assert_eq!(
            template.render(&messages[1..], &options).unwrap(),
            golden.text
        );
    }
}

#[test]
fn pieces_stop_texts_limits_and_cancelling() {
    let model = model("base");
    let prompt = model
        .companions
        .tokenizer
        .encode("Tom is a", false)
        .unwrap();
    let run = |settings: &GenerationSettings, cancel: Cancel| {
        let mut session = Session::new(&model);
        let mut generation = session.generate(&prompt, settings, cancel).unwrap();
        let pieces: Vec<String> = generation.by_ref().map(Result::unwrap).collect();
        (pieces, generation.report().clone())
    };
    let (pieces, report) = run(&settings(&model, 48), Cancel::default());
    assert!(pieces.len() > 5 && pieces.iter().all(|piece| !piece.is_empty()));
    let whole = pieces.concat();
    assert_eq!(
        whole,
        " driver. Tom asked, \"What is the age of Max?\" Lucy answered with one word: 29"
    );
    assert!(matches!(report.finish, Some(Finish::End(_))));

    let stop = GenerationSettings {
        stop: vec!["of Max".to_owned()],
        ..settings(&model, 48)
    };
    let (pieces, report) = run(&stop, Cancel::default());
    assert_eq!(pieces.concat(), " driver. Tom asked, \"What is the age ");
    assert_eq!(report.finish, Some(Finish::Stop("of Max".to_owned())));

    let cancel = Cancel::default();
    cancel.cancel();
    let (pieces, report) = run(&settings(&model, 48), cancel);
    assert!(pieces.is_empty());
    assert_eq!(report.finish, Some(Finish::Cancelled));

    let (pieces, report) = run(&settings(&model, 0), Cancel::default());
    assert!(pieces.is_empty());
    assert_eq!(report.finish, Some(Finish::MaxTokens));
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let model = model("base");
    let prompt = model.companions.tokenizer.encode("Anna", false).unwrap();
    let text = |seed| {
        let settings = GenerationSettings {
            sampling: SamplingSettings {
                temperature: 1.5,
                top_p: 0.95,
                ..SamplingSettings::default()
            },
            seed: Some(seed),
            ..settings(&model, 30)
        };
        let mut session = Session::new(&model);
        let generation = session
            .generate(&prompt, &settings, Cancel::default())
            .unwrap();
        generation.finish().unwrap()
    };
    assert_eq!(text(3).0, text(3).0);
    assert_eq!(text(3).1.seed, 3);
    assert_ne!(text(3).0, text(4).0);
}

#[test]
fn with_the_cache_in_bf16_the_trained_model_says_the_same() {
    let folder = repository("fixtures/tiny-qwen2/instruct");
    let model = Model {
        decoder: open_with(&folder, DecoderOptions::default()),
        companions: Companions::read(&folder).unwrap(),
    };
    for golden in goldens().iter().filter(|golden| golden.model == "instruct") {
        let mut session = Session::new(&model);
        let settings = settings(&model, 48);
        let generation = session
            .generate(&golden.prompt_ids, &settings, Cancel::default())
            .unwrap();
        let (text, _) = generation.finish().unwrap();
        assert_eq!(
            text,
            golden
                .generated_text
                .replace("<|im_end|>", "")
                .replace("<|endoftext|>", "")
        );
    }
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Companions::read(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("tokenizer.json: missing"),
        "{error}"
    );

    let tokenizer = repository("fixtures/tiny-qwen2/base/tokenizer.json");
    fs_err::copy(tokenizer, folder.path().join("tokenizer.json")).unwrap();
    let mut companions = Companions::read(folder.path()).unwrap();
    let error = companions.template().unwrap_err().to_string();
    assert!(error.contains("chat_template.jinja: missing"), "{error}");
    assert!(error.contains("--template FILE"), "{error}");

    let file = folder.path().join("my.jinja");
    fs_err::write(&file, "{{ messages[0].content }}").unwrap();
    companions.use_template(&file).unwrap();
    let text = companions
        .template()
        .unwrap()
        .render(&[Message::new("user", "hi")], &TemplateOptions::default())
        .unwrap();
    assert_eq!(text, "hi");
    assert!(companions.use_template(Path::new("no/such.jinja")).is_err());
}

#[test]
fn prompts_that_cannot_be_are_refused() {
    let model = model("base");
    let mut session = Session::new(&model);
    let settings = settings(&model, 1);
    let error = session
        .generate(&[], &settings, Cancel::default())
        .unwrap_err();
    assert!(matches!(error, Error::EmptyPrompt));
    let long = vec![5; 131_073];
    let error = session
        .generate(&long, &settings, Cancel::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "131073 tokens do not fit the model's 131072 positions"
    );
    let generation = session
        .generate(&[5, 1059], &settings, Cancel::default())
        .unwrap();
    let error = generation.finish().unwrap_err();
    assert!(
        error.to_string().starts_with("token 1059 is outside"),
        "{error}"
    );
}

#[test]
fn streams_never_break_a_character() {
    let model = model("base");
    let tokenizer = &model.companions.tokenizer;
    for text in ["Straße 日本語 🙂🙂 naïve", "  two  blanks ", "a\n\nb"] {
        let tokens = tokenizer.encode(text, false).unwrap();
        for cut in 0..tokens.len() {
            let mut stream = weightsmith_infer::text::TextStream::new(&tokens[..cut], true);
            let mut out = tokenizer.decode(&tokens[..cut], true).unwrap();
            // a prompt that ends within a character is shown with replacement characters already
            if out.contains(char::REPLACEMENT_CHARACTER) {
                continue;
            }
            for &token in &tokens[cut..] {
                let piece = stream.push(tokenizer, token).unwrap();
                assert!(!piece.contains(char::REPLACEMENT_CHARACTER));
                out += &piece;
            }
            out += &stream.finish(tokenizer).unwrap();
            assert_eq!(out, text);
        }
    }
}

#[test]
fn reading_a_prompt_tells_how_far_it_is_and_can_be_cancelled() {
    let model = model("base");
    let prompt: Vec<u32> = (0..1500).map(|index| 5 + index * index % 900).collect();
    let settings = settings(&model, 4);
    let mut session = Session::new(&model);
    let whole = session
        .generate(&prompt, &settings, Cancel::default())
        .unwrap()
        .finish()
        .unwrap();

    let mut session = Session::new(&model);
    let cancel = Cancel::default();
    let mut generation = session
        .generate(&prompt, &settings, cancel.clone())
        .unwrap();
    let mut seen = Vec::new();
    let mut stop_in_the_second_pass = |done, total| {
        assert_eq!(total, 1500);
        seen.push(done);
        if done > 512 {
            cancel.cancel();
        }
    };
    generation
        .read_prompt(&mut stop_in_the_second_pass)
        .unwrap();
    assert_eq!(generation.next().transpose().unwrap(), None);
    let report = generation.report();
    assert_eq!(report.finish, Some(Finish::Cancelled));
    assert_eq!((report.read_tokens, report.generated_tokens), (512, 0));
    // within a pass too, and no further than it was stopped
    assert!(seen.is_sorted() && seen.len() > 3, "{seen:?}");
    assert!(seen[seen.len() - 1] < 1024, "{seen:?}");
    assert_eq!(session.tokens(), &prompt[..512]);
    assert_eq!(session.cache().len(), 512);

    // what was read is not read again, and the answer is the same
    let mut generation = session
        .generate(&prompt, &settings, Cancel::default())
        .unwrap();
    let mut last = 0;
    generation.read_prompt(&mut |done, _| last = done).unwrap();
    assert_eq!(last, 1500);
    assert_eq!(generation.report().reused_tokens, 512);
    let (text, report) = generation.finish().unwrap();
    assert_eq!(text, whole.0);
    assert_eq!(report.generated_tokens, whole.1.generated_tokens);
    assert_eq!(report.read_tokens, 1500);
}

#[test]
fn what_lies_behind_a_freed_window_is_computed_again() {
    let folder = repository("crates/infer/tests/golden/mistral");
    let cases = fs_err::read_to_string(folder.join("cases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&cases).unwrap();
    let mut config = cases["cases"]["window"].clone();
    config["max_position_embeddings"] = 4096.into();
    let model = Model {
        decoder: open_as(&folder.join("model.safetensors"), &config.to_string()),
        companions: Companions::read(&repository("fixtures/tiny-qwen2/base")).unwrap(),
    };
    let settings = GenerationSettings {
        max_tokens: Some(8),
        ..GenerationSettings::default()
    };
    let prompt = |count: usize, last: u32| -> Vec<u32> {
        let mut prompt: Vec<u32> = (0..count as u32).map(|index| index * index % 47).collect();
        prompt.push(last);
        prompt
    };
    let fresh = |prompt: &[u32]| {
        let mut session = Session::new(&model);
        let generation = session
            .generate(prompt, &settings, Cancel::default())
            .unwrap();
        generation.finish().unwrap().0
    };
    let mut session = Session::new(&model);
    for (prompt, reused) in [
        (prompt(2000, 3), 0),
        // the end can be taken back
        (prompt(1800, 4), 1800),
        (prompt(1900, 5), 1800),
        // but not what the window does not hold any more
        (prompt(300, 6), 0),
        (prompt(290, 7), 290),
    ] {
        let generation = session
            .generate(&prompt, &settings, Cancel::default())
            .unwrap();
        assert_eq!(generation.report().reused_tokens, reused);
        assert_eq!(generation.finish().unwrap().0, fresh(&prompt), "{reused}");
        assert_eq!(session.cache().len(), session.tokens().len());
    }
}

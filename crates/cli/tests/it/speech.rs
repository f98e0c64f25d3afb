//! `generate` and `chat` on the trained models of the repository, and on a merge of them that is never written.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::{FIXTURES, Run, World};

/// Where the examples' paths start from.
pub(crate) const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// The V-shaped SLERP.
pub(crate) const RECIPE: &str = "examples/01-slerp-v.yml";

/// The command in the repository.
pub(crate) fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command.current_dir(REPOSITORY);
    command
}

/// Runs the command in the repository with this on standard input.
fn run_with(world: &World, arguments: &[&str], input: &str) -> Run {
    let mut child = command(world, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("taken");
    drop(stdin);
    world.outcome(&child.wait_with_output().expect("ends"))
}

fn run(world: &World, arguments: &[&str]) -> Run {
    run_with(world, arguments, "")
}

/// Merges the V and gives the folder.
fn merged(world: &World) -> String {
    let out = world.path("merged").display().to_string();
    run(world, &["merge", RECIPE, &out]).expect_code(0);
    out
}

const QUESTION: &str = "Where does Anna live?";

#[test]
fn an_unwritten_merge_says_what_the_written_one_says() {
    let world = World::new();
    let out = merged(&world);
    for options in [
        &["--prompt", QUESTION][..],
        &["--prompt", QUESTION, "--exact"],
        &["--prompt", QUESTION, "--system", "Answer with one word."],
        &["--prompt", "Anna lives in", "--raw", "--max-tokens", "12"],
        &["--prompt", QUESTION, "--temperature", "1.5", "--seed", "3"],
        &["--prompt", QUESTION, "--quantize", "q8_0"],
    ] {
        let text = |model: &str| {
            let run = run(&world, &[&["generate", model][..], options].concat());
            run.expect_code(0).expect_error(" tokens at ");
            run.stdout
        };
        let written = text(&out);
        assert_eq!(text(RECIPE), written, "{options:?}");
        assert!(written.len() > 3 && !written.contains("<|"), "{written}");
    }
    let turns = format!("{QUESTION}\nAnd Tom?\n/system Answer with one word.\n{QUESTION}\n");
    let chat = |model: &str| {
        run_with(&world, &["chat", model], &turns)
            .expect_code(0)
            .stdout
            .clone()
    };
    let answers = chat(RECIPE);
    assert_eq!(answers, chat(&out));
    assert_eq!(answers.lines().count(), 3, "{answers}");
    assert!(
        answers
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("Anna lives in ")),
        "{answers}"
    );
}

#[test]
fn a_prompt_can_come_from_standard_input_and_quiet_says_nothing_else() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let given = run(&world, &["generate", &model, "--prompt", QUESTION]);
    let piped = run_with(
        &world,
        &["generate", "--quiet", &model],
        &format!("{QUESTION}\n"),
    );
    piped.expect_code(0);
    assert_eq!(piped.stdout, given.stdout);
    assert_eq!(piped.stderr, "");
}

#[test]
fn stop_texts_and_limits_end_a_text() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let whole = run(&world, &["generate", &model, "--prompt", QUESTION]);
    let stopped = run(
        &world,
        &["generate", &model, "--prompt", QUESTION, "--stop", " in"],
    );
    assert_eq!(
        stopped.stdout.trim_end(),
        whole.stdout.split(" in").next().unwrap()
    );
    let cut = run(
        &world,
        &[
            "generate",
            &model,
            "--prompt",
            QUESTION,
            "--max-tokens",
            "1",
        ],
    );
    cut.expect_error("stopped at the token limit");
}

#[test]
fn compare_shows_the_merge_and_each_parent() {
    let world = World::new();
    let input = format!(
        "/compare\n{QUESTION}\n/compare\n/compare How old is Tom?\n/help\n/reset\n/nonsense\n/quit\nnever said\n"
    );
    let run = run_with(&world, &["chat", RECIPE], &input);
    run.expect_code(1)
        .expect_error("the conversation is empty")
        .expect_error("/compare TEXT   ask all of them TEXT")
        .expect_error("conversation cleared")
        .expect_error("unknown command `/nonsense`");
    let headings: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("── "))
        .collect();
    let expected = [
        "── examples/01-slerp-v.yml (the merge)",
        "── base",
        "── instruct",
    ];
    assert_eq!(headings, [expected, expected].concat());
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines[0], lines[2],
        "the merge says the same again:\n{}",
        run.stdout
    );

    let model = format!("{FIXTURES}/instruct");
    run_with(&world, &["chat", &model], "/compare hi\n")
        .expect_code(1)
        .expect_error("nothing to compare");
}

#[test]
fn what_cannot_be_said_is_explained() {
    let world = World::with_models();
    let model = format!("{FIXTURES}/instruct");
    run(&world, &["generate", &model, "--prompt", " "])
        .expect_code(2)
        .expect_error("the prompt is empty");
    run(&world, &["generate", &model, "--raw", "--prompt", ""])
        .expect_code(1)
        .expect_error("the prompt is empty, expected at least one token");
    run(
        &world,
        &["generate", &model, "--prompt", "a", "--temperature", "-1"],
    )
    .expect_code(1)
    .expect_error("temperature is -1; expected a number from 0");
    run(&world, &["generate", "no/such", "--prompt", "a"]).expect_code(1);
    run(&world, &["generate", "no-such.yml", "--prompt", "a"])
        .expect_code(2)
        .expect_error("there is no recipe at `no-such.yml`");
    let incomplete = world.path("a").display().to_string();
    run(&world, &["generate", &incomplete, "--prompt", "a"]).expect_code(1);
}

#[test]
fn a_model_without_a_template_continues_texts_but_does_not_chat() {
    let world = World::new();
    let model = copy_without(&world, "chat_template");
    run(
        &world,
        &[
            "generate",
            &model,
            "--prompt",
            "Anna lives in",
            "--max-tokens",
            "5",
        ],
    )
    .expect_code(0)
    .expect_error("no chat template");
    run(&world, &["chat", &model])
        .expect_code(1)
        .expect_error("chat_template.jinja: missing")
        .expect_error("--template FILE");
    world.write("plain.jinja", "{{ messages[-1].content }}");
    let template = world.path("plain.jinja").display().to_string();
    run_with(
        &world,
        &["chat", &model, "--template", &template, "--max-tokens", "5"],
        "Anna lives in\n",
    )
    .expect_code(0);
}

/// A copy of the trained model without a field of its `tokenizer_config.json`, and with no end of text.
pub(crate) fn copy_without(world: &World, field: &str) -> String {
    let from = Path::new(FIXTURES).join("instruct");
    fs_err::create_dir(world.path("copy")).expect("created");
    for name in [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    ] {
        fs_err::copy(from.join(name), world.path("copy").join(name)).expect("copied");
    }
    for (name, fields) in [
        ("tokenizer_config.json", &[field, "eos_token"][..]),
        ("config.json", &["eos_token_id"]),
    ] {
        let path = world.path("copy").join(name);
        let text = fs_err::read_to_string(&path).expect("readable");
        let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for field in fields {
            json.as_object_mut().expect("an object").remove(*field);
        }
        fs_err::write(&path, json.to_string()).expect("written");
    }
    world.path("copy").display().to_string()
}

/// A model and a template with which an answer never ends: nothing tells the end of a turn.
#[cfg(unix)]
pub(crate) fn endless(world: &World) -> (String, String) {
    world.write("endless.jinja", "{{ messages[-1].content }}");
    let template = world.path("endless.jinja").display().to_string();
    (copy_without(world, "nothing"), template)
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_answer_and_not_the_chat() {
    let world = World::new();
    let (model, template) = endless(&world);
    let mut child = command(&world, &["chat", &model, "--template", &template])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"Anna lives in\n").expect("taken");
    let mut stdout = child.stdout.take().expect("piped");
    // the answer has begun
    stdout.read_exact(&mut [0; 8]).expect("an answer");
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.is_ok_and(|status| status.success()));
    stdin.write_all(b"/reset\n/quit\n").expect("taken");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    let run = world.outcome(&child.wait_with_output().expect("ends"));
    run.expect_code(0)
        .expect_error("(interrupted)")
        .expect_error("conversation cleared");
}

//! `eval` on the trained models of the repository: the table of their README.

use serde_json::Value;

use crate::speech::{RECIPE, command};
use crate::world::{FIXTURES, Run, World};

/// Runs `eval`.
pub(crate) fn run(world: &World, arguments: &[&str]) -> Run {
    let output = command(world, &[&["eval"][..], arguments].concat()).output();
    world.outcome(&output.expect("starts"))
}

/// Runs `eval` with `--json`.
pub(crate) fn evaluate(world: &World, arguments: &[&str]) -> Value {
    let arguments = [&["eval", "--json"][..], arguments].concat();
    let output = command(world, &arguments).output().expect("starts");
    let run = world.outcome(&output);
    run.expect_code(0);
    serde_json::from_str(&run.stdout).expect("JSON")
}

pub(crate) fn data(name: &str) -> String {
    format!("{FIXTURES}/data/{name}")
}

/// Perplexity and the numbers of right answers of both files of questions.
fn row(world: &World, model: &str, options: &[&str]) -> (f64, u64, u64) {
    let (stories, instruct, math) = (
        data("stories.heldout.txt"),
        data("instruct.heldout.jsonl"),
        data("math.heldout.jsonl"),
    );
    let arguments = [
        &[model, "--exact", "--documents", "--max-tokens", "32"][..],
        options,
        &["--data", &stories, &instruct, &math],
    ];
    let found = evaluate(world, &arguments.concat());
    let right = |index: usize| found["tasks"][index]["right"].as_u64().expect("a count");
    let perplexity = found["texts"][0]["perplexity"].as_f64().expect("a number");
    (perplexity, right(0), right(1))
}

/// The README's rows, measured with transformers: model, perplexity, right answers of 200 about facts and of 200 sums.
fn table() -> Vec<(String, f64, u64, u64)> {
    vec![
        (format!("{FIXTURES}/base"), 1.875, 0, 0),
        (format!("{FIXTURES}/instruct"), 1.931, 158, 0),
        (RECIPE.to_owned(), 1.925, 155, 0),
        ("examples/02-slerp-full-v.yml".to_owned(), 1.924, 148, 0),
        ("examples/03-linear.yml".to_owned(), 1.900, 96, 188),
    ]
}

#[test]
fn the_table_of_the_trained_models_is_reproduced() {
    let world = World::new();
    for (model, perplexity, instruct, math) in table() {
        let found = row(&world, &model, &[]);
        println!("{model}: {found:?}");
        assert!((found.0 - perplexity).abs() < 0.002, "{model}: {found:?}");
        assert!(found.1.abs_diff(instruct) <= 1, "{model}: {found:?}");
        assert!(found.2.abs_diff(math) <= 1, "{model}: {found:?}");
    }
}

#[test]
fn a_part_of_the_table_is_reproduced() {
    let world = World::new();
    // the first 40 documents and questions, as measured when the whole table was reproduced
    for (model, perplexity, instruct) in [
        (format!("{FIXTURES}/instruct"), 1.989, 25),
        (RECIPE.to_owned(), 1.978, 25),
    ] {
        let found = row(&world, &model, &["--limit", "40"]);
        assert!((found.0 - perplexity).abs() < 0.002, "{model}: {found:?}");
        assert!(found.1.abs_diff(instruct) <= 1, "{model}: {found:?}");
        assert_eq!(found.2, 0, "{model}");
    }
}

#[test]
fn a_bad_line_is_named_before_any_model_is_opened() {
    let world = World::new();
    world.write(
        "bad.jsonl",
        "{\"question\": \"q\", \"answer\": \"a\"}\n{\"question\": 5}\n",
    );
    let bad = world.path("bad.jsonl").display().to_string();
    world
        .run(&["eval", "no/such", "--data", &bad])
        .expect_code(1)
        .expect_error("bad.jsonl:2: `question` is a number; expected a string");
}

#[test]
fn a_model_does_not_differ_from_itself_and_the_merge_is_near_its_parents() {
    let world = World::new();
    let stories = data("stories.heldout.txt");
    let (base, instruct) = (format!("{FIXTURES}/base"), format!("{FIXTURES}/instruct"));
    let options = [
        "--exact",
        "--documents",
        "--limit",
        "12",
        "--against",
        &instruct,
    ];
    let same = evaluate(
        &world,
        &[&[&instruct[..]], &options[..], &["--data", &stories]].concat(),
    );
    let same = &same["comparisons"][0];
    assert_eq!(same["mean_kld"], 0.0);
    assert_eq!(same["same_top_p"], 1.0);
    assert_eq!(same["rms_delta_p"], 0.0);

    let merge = [
        &[RECIPE][..],
        &options,
        &["--against", &base, "--data", &stories],
    ];
    let merge = evaluate(&world, &merge.concat());
    assert_eq!(merge["comparisons"].as_array().map(Vec::len), Some(2));
    for comparison in merge["comparisons"].as_array().expect("a list") {
        let kld = comparison["mean_kld"].as_f64().expect("a number");
        assert!(kld > 1e-5 && kld < 0.5, "{comparison}");
        assert!(
            comparison["same_top_p"].as_f64().expect("a number") > 0.8,
            "{comparison}"
        );
    }
}

#[test]
fn choices_are_weighed() {
    let world = World::new();
    world.write(
        "choices.jsonl",
        concat!(
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Compute 10 + 48.\"}], \"choices\": [\"10 + 48 = 57\", \"10 + 48 = 58\"], \"answer\": 1}\n",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Tell me 10 + 56.\"}], \"choices\": [\"10 + 56 = 66\", \"apples\"], \"answer\": \"10 + 56 = 66\"}\n",
            "{\"question\": \"10 + 48 =\", \"choices\": [\"58\", \"apples\"], \"answer\": 0}\n",
        ),
    );
    let choices = world.path("choices.jsonl").display().to_string();
    let found = evaluate(&world, &[&format!("{FIXTURES}/math"), "--data", &choices]);
    assert_eq!(found["tasks"][0]["form"], "choice");
    assert_eq!(found["tasks"][0]["right"], 3, "{found}");
    assert_eq!(found["tasks"][0]["acc"], 1.0);
}

#[test]
fn parents_answer_the_same_questions_beside_the_merge() {
    let world = World::new();
    let (base, instruct) = (format!("{FIXTURES}/base"), format!("{FIXTURES}/instruct"));
    let (questions, stories) = (data("instruct.heldout.jsonl"), data("stories.heldout.txt"));
    let options = [
        RECIPE,
        "--limit",
        "8",
        "--max-tokens",
        "16",
        "--documents",
        "--against",
        &instruct,
        "--against",
        &base,
        "--data",
        &questions,
    ];
    // questions alone are enough
    let found = evaluate(&world, &options);
    let against = found["against"].as_array().expect("a list");
    assert_eq!(against[0]["model"], "instruct");
    assert_eq!(against[0]["tasks"][0]["questions"], 8);
    let alone = evaluate(
        &world,
        &[&[&instruct[..]], &options[1..6], &["--data", &questions]].concat(),
    );
    assert_eq!(against[0]["tasks"], alone["tasks"]);
    assert!(
        alone["tasks"][0]["right"].as_u64() > Some(0),
        "the comparison says something: {alone}"
    );
    // a model that only continues text answers nothing
    assert_eq!(against[1]["tasks"][0]["right"], 0);
    assert_eq!(found["comparisons"], Value::Array(Vec::new()));

    let options = [&options[..], &[&stories]].concat();
    let run = run(&world, &options);
    run.expect_code(0);
    let heading = |first: &str| {
        let line = run.stdout.lines().find(|line| line.contains(first));
        let line = line.unwrap_or_else(|| panic!("{}", run.transcript()));
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        heading("perplexity on"),
        ["perplexity", "on", "tokens", RECIPE, "instruct", "base"]
    );
    assert_eq!(
        heading("questions"),
        ["questions", "measure", RECIPE, "instruct", "base"]
    );
    assert!(heading("exact match").contains(&"0/8".to_owned()));
    assert!(!run.stdout.contains('–'), "{}", run.stdout);
}

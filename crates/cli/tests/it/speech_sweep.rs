//! `eval --sweep` and `--svg`, and Ctrl-C in a measurement.

use serde_json::Value;

use crate::speech::RECIPE;
use crate::speech_eval::{data, evaluate, run};
use crate::world::{FIXTURES, World};

#[test]
fn a_sweep_goes_from_one_parent_to_the_other_and_is_drawn() {
    let world = World::new();
    let (base, instruct) = (format!("{FIXTURES}/base"), format!("{FIXTURES}/instruct"));
    let (questions, stories) = (data("instruct.heldout.jsonl"), data("stories.heldout.txt"));
    let svg = world.path("t.svg").display().to_string();
    let options = [
        RECIPE,
        "--exact",
        "--limit",
        "4",
        "--max-tokens",
        "12",
        "--documents",
        "--against",
        &base,
        "--against",
        &instruct,
        "--sweep",
        "t=0:1:0.5",
        "--data",
        &stories,
        &questions,
    ];
    let found = evaluate(&world, &[&options[..], &["--svg", &svg]].concat());
    assert_eq!(found["parameter"], "t");
    assert_eq!(found["incomplete"], Value::Null);
    let values = found["values"].as_array().expect("a list");
    assert_eq!(values.len(), 3);
    assert_eq!(values[1]["value"], 0.5);
    // the recipe's `base_model` is the instruct model: the merge is that model at 0 and the other one at 1
    let kld = |value: usize, against: usize| {
        let row = &values[value]["comparisons"][against];
        row["mean_kld"].as_f64().expect("a number")
    };
    assert!(kld(0, 1) == 0.0 && kld(2, 0) == 0.0, "{found}");
    assert!(kld(0, 0) > 0.0 && kld(1, 0) > 0.0 && kld(1, 1) > 0.0);
    for (value, parent) in [(0, 1), (2, 0)] {
        for scores in ["texts", "tasks"] {
            assert_eq!(values[value][scores], found["against"][parent][scores]);
        }
    }
    assert_eq!(
        found["against"][0]["texts"].as_array().map(Vec::len),
        Some(1)
    );

    let picture = fs_err::read_to_string(&svg).expect("written");
    // three values: perplexity and exact match of the merge, its divergence from two
    assert_eq!(picture.matches("<circle").count(), 3 * 4);
    assert_eq!(world.names().len(), 1, "{:?}", world.names());
    let table = run(&world, &[&options[..], &["--svg", &svg]].concat());
    table.expect_code(0);
    assert_eq!(fs_err::read_to_string(&svg).expect("written"), picture);
    let rows: Vec<&str> = table
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(rows, [RECIPE, "t", "0", "0.5", "1", "base", "instruct"]);
}

#[test]
fn a_list_of_values_of_one_model_can_be_varied() {
    let world = World::new();
    let questions = data("math.heldout.jsonl");
    let found = evaluate(
        &world,
        &[
            "examples/03-linear.yml",
            "--limit",
            "4",
            "--max-tokens",
            "16",
            "--sweep",
            "math:weight=0,1",
            "--data",
            &questions,
        ],
    );
    let right = |value: usize| found["values"][value]["tasks"][0]["right"].as_u64();
    assert_eq!(right(0), Some(0), "{found}");
    assert!(right(1) >= Some(3), "{found}");
}

#[test]
fn what_cannot_be_varied_is_refused_before_anything_is_computed() {
    let world = World::new();
    let questions = data("math.heldout.jsonl");
    let instruct = format!("{FIXTURES}/instruct");
    for (model, sweep, message) in [
        (
            RECIPE,
            "weight=0:1:0.1",
            "`--sweep`: `slerp` does not use `weight`; it uses `t`",
        ),
        (
            RECIPE,
            "models[0].t=1",
            "`t` belongs to the whole merge, not to a model",
        ),
        (RECIPE, "t=0:1", "expected START:END:STEP, as in `0:1:0.1`"),
        (
            &instruct,
            "t=0,1",
            "`--sweep` needs a recipe, and `[FIXTURES]/instruct` is a model",
        ),
        (
            "examples/03-linear.yml",
            "weight=1,0",
            "with `weight` = 0 the recipe cannot be merged",
        ),
    ] {
        run(&world, &[model, "--sweep", sweep, "--data", &questions])
            .expect_code(2)
            .expect_error(message);
    }
    run(
        &world,
        &[RECIPE, "--svg", "no/such/x.svg", "--data", &questions],
    )
    .expect_code(2)
    .expect_error("`--svg no/such/x.svg`: there is no folder `no/such`");
}

#[cfg(unix)]
#[test]
fn an_interrupted_measurement_shows_what_there_is_and_writes_nothing() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    let world = World::new();
    let (instruct, questions) = (
        format!("{FIXTURES}/instruct"),
        data("instruct.heldout.jsonl"),
    );
    let svg = world.path("x.svg").display().to_string();
    let arguments = [
        "-v", "eval", &instruct, "--json", "--svg", &svg, "--data", &questions,
    ];
    let mut child = crate::speech::command(&world, &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    // the first of 13 batches has been answered
    while !line.contains("instruct.heldout.jsonl:1:") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("readable"), 0);
    }
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.expect("sent").success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("readable");
    let output = child.wait_with_output().expect("ends");
    let run = world.outcome(&output);
    run.expect_code(130);
    assert!(
        rest.contains("interrupted: the results are incomplete"),
        "{rest}"
    );
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(found["incomplete"], true);
    let asked = found["tasks"][0]["questions"].as_u64().expect("a count");
    assert!((16..200).contains(&asked), "{found}");
    assert!(world.names().is_empty(), "{:?}", world.names());
}

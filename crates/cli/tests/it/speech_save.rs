//! `eval --save`: the numbers in a model's folder.

use crate::speech::{RECIPE, command};
use crate::speech_eval::{data, run};
use crate::world::{FIXTURES, World};

/// Merges the V and gives the folder.
fn merged(world: &World) -> String {
    let out = world.path("merged").display().to_string();
    let output = command(world, &["merge", RECIPE, &out]).output();
    world.outcome(&output.expect("starts")).expect_code(0);
    out
}

#[test]
fn the_card_and_the_results_of_benchmarks_are_written_and_replaced() {
    let world = World::new();
    let out = merged(&world);
    let card_path = world.path("merged/README.md");
    let card = fs_err::read_to_string(&card_path).expect("a card") + "\nMine.\n";
    fs_err::write(&card_path, &card).expect("written");
    let instruct = format!("{FIXTURES}/instruct");
    let (questions, stories) = (data("instruct.heldout.jsonl"), data("stories.heldout.txt"));
    let save = |limit: &str| {
        run(
            &world,
            &[
                &out,
                "--documents",
                "--limit",
                limit,
                "--max-tokens",
                "12",
                "--against",
                &instruct,
                "--save",
                "--benchmark",
                "instruct.heldout.jsonl=org/facts:default",
                "--data",
                &stories,
                &questions,
            ],
        )
        .expect_code(0);
        fs_err::read_to_string(&card_path).expect("a card")
    };
    let first = save("3");
    let section = first.strip_prefix(&card).expect("the text before stays");
    for text in [
        "\n## Evaluation\n",
        "| on | measure | `merged` | `instruct` |",
        "| `stories.heldout.txt` | perplexity (first 3) | ",
        "| `instruct.heldout.jsonl` | exact match (first 3) | ",
        "mean KLD from instruct (first 3) | – | ",
    ] {
        assert!(section.contains(text), "{text:?} in {section}");
    }
    let second = save("4");
    assert_ne!(first, second);
    assert!(second.starts_with(&card));
    assert_eq!(second.matches("## Evaluation").count(), 1);

    let path = world.path("merged/.eval_results/org--facts--default.yaml");
    let yaml = fs_err::read_to_string(&path).expect("results");
    let lines: Vec<&str> = yaml.lines().collect();
    assert_eq!(
        lines[1..4],
        [
            "- dataset:",
            "    id: \"org/facts\"",
            "    task_id: \"default\""
        ]
    );
    let value = lines[4].strip_prefix("  value: ").expect("a value");
    assert_eq!(
        value.parse::<f64>().expect("a number") % 25.0,
        0.0,
        "{yaml}"
    );
    assert!(lines[5].starts_with("  date: \"20"), "{yaml}");
    assert!(lines[6].starts_with("  notes: \"exact match (first 4), instruct.heldout.jsonl, "));

    // what is checked of the model is as it was
    let output = command(&world, &["verify", &out]).output();
    world.outcome(&output.expect("starts")).expect_code(0);
}

#[test]
fn what_others_wrote_stays() {
    let world = World::new();
    let questions = data("instruct.heldout.jsonl");
    let base = format!("{FIXTURES}/base");
    fs_err::create_dir(world.path("model")).expect("created");
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        fs_err::copy(format!("{base}/{name}"), world.path("model").join(name)).expect("copied");
    }
    world.write("model/README.md", "Mine.\n");
    let model = world.path("model").display().to_string();
    let save = [
        &model,
        "--limit",
        "1",
        "--max-tokens",
        "1",
        "--save",
        "--data",
        &questions,
    ];
    run(&world, &save)
        .expect_code(0)
        .expect_error("the model card was not changed: weightsmith did not write this folder");
    assert_eq!(
        fs_err::read_to_string(world.path("model/README.md")).expect("there"),
        "Mine.\n"
    );
    fs_err::create_dir(world.path("model/.eval_results")).expect("created");
    let theirs = "model/.eval_results/org--facts--default.yaml";
    world.write(theirs, "- dataset: {}\n");
    let benchmark = ["--benchmark", "instruct.heldout.jsonl=org/facts:default"];
    run(&world, &[&save[..], &benchmark].concat())
        .expect_code(1)
        .expect_error("org--facts--default.yaml was not written by `--save` and is not replaced");
    assert_eq!(
        fs_err::read_to_string(world.path(theirs)).expect("there"),
        "- dataset: {}\n"
    );
}

#[test]
fn a_place_that_numbers_cannot_go_to_is_refused() {
    let world = World::new();
    let questions = data("instruct.heldout.jsonl");
    run(&world, &[RECIPE, "--save", "--data", &questions])
        .expect_code(2)
        .expect_error("`--save` needs a model's folder, and `examples/01-slerp-v.yml` is not one");
    let instruct = format!("{FIXTURES}/instruct");
    for (benchmark, message) in [
        (
            "x.jsonl=org/facts:default",
            "`x.jsonl` is not one of the `--data` files",
        ),
        (
            "instruct.heldout.jsonl=facts",
            "expected FILE=ORG/DATASET:TASK",
        ),
        (
            "instruct.heldout.jsonl=org/..:x",
            "expected FILE=ORG/DATASET:TASK",
        ),
    ] {
        let save = ["--save", "--benchmark", benchmark, "--data", &questions];
        run(&world, &[&[&instruct[..]], &save[..]].concat())
            .expect_code(2)
            .expect_error(message);
    }
}

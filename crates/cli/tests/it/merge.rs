//! `merge`.

use weightsmith_tensors::DType;

use crate::world::{FIXTURES, SLERP, World};

/// What differs from run to run.
fn filtered(run: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+\.\d+ s\b", "[TIME]");
    settings.add_filter(r"\d+(\.\d+)? [kMG]?B/s", "[SPEED]");
    settings.add_filter(r"\d+\.\d MiB", "[MEMORY]");
    settings.add_filter(r"with \d+ threads?", "with [THREADS]");
    settings.add_filter(
        r"mergekit_config.yml, \d+(\.\d)? k?B",
        "mergekit_config.yml, [RECIPE]",
    );
    settings.bind(run);
}

fn fixture_recipe(world: &World) {
    world.write(
        "recipe.yml",
        &format!(
            "models:\n  - model: {FIXTURES}/base\n  - model: {FIXTURES}/instruct\nmerge_method: slerp\n\
             base_model: {FIXTURES}/instruct\ndtype: bfloat16\nparameters:\n  t: [0, 0.25, 0.5, 0.25, 0]\n"
        ),
    );
}

#[test]
fn the_v_shaped_slerp_of_the_bundled_models_says_what_it_did() {
    let world = World::new();
    fixture_recipe(&world);
    let run = world.run(&["merge", "recipe.yml", "out"]);
    filtered(|| {
        insta::assert_snapshot!(run.transcript(), @r"
        exit code: 0
        --- stdout
        --- stderr
        merged 74 tensors (2.57M parameters) from 2 models with slerp
        read 8.3 MB, wrote 5.1 MB in [TIME]: [SPEED]
        peak private memory [MEMORY] (resident with mapped files: [MEMORY])
        Layers 0 and 5 come from `instruct` alone; layers 1 and 4 are 80 % `instruct` and 20 % `base`; layers 2–3 are 60 % `instruct` and 40 % `base`. Embeddings and final norm come from `instruct` alone.
        saved to out (1 weight file); run `weightsmith verify out` to check it
        ");
    });
    for name in [
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "mergekit_config.yml",
        "generation_config.json",
    ] {
        assert!(world.path("out").join(name).exists(), "{name}");
    }
    assert_eq!(
        world.names().into_iter().collect::<Vec<_>>(),
        ["out", "recipe.yml"]
    );
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::new();
    fixture_recipe(&world);
    let run = world.run(&["merge", "--dry-run", "recipe.yml", "out"]);
    filtered(|| {
        insta::assert_snapshot!(run.transcript(), @r"
    exit code: 0
    --- stdout
    method  slerp
    input   base at [FIXTURES]/base: 74 tensors, 2.57M parameters, 6 layers
    input   instruct at [FIXTURES]/instruct: 74 tensors, 2.57M parameters, 6 layers, base_model, provides config and other files
    result  74 tensors, 2.57M parameters, 6 layers
    file    model.safetensors, 5.1 MB
    file    config.json, 673 B
    file    mergekit_config.yml, [RECIPE]
    file    generation_config.json, 178 B, from instruct
    file    merges.txt, 5.4 kB, from instruct
    file    tokenizer.json, 57.5 kB, from instruct
    file    tokenizer_config.json, 1.3 kB, from instruct
    file    vocab.json, 11.5 kB, from instruct
    file    weightsmith-shares.svg, made at the end
    file    README.md, made at the end
    file    weightsmith.lock.json, made at the end
    work    read 8.3 MB, write 5.1 MB, with [THREADS] and at most [MEMORY] of private memory
    --- stderr
    ");
    });
    assert_eq!(
        world.names().into_iter().collect::<Vec<_>>(),
        ["recipe.yml"]
    );
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let run = world.run(&["merge", "--quiet", "--cuda", "recipe.yml", "out"]);
    assert_eq!(run.transcript(), "exit code: 0\n--- stdout\n--- stderr\n");
    let run = world.run(&[
        "merge",
        "--quiet",
        "--no-quiet",
        "--force",
        "recipe.yml",
        "out",
    ]);
    run.expect_code(0).expect_error("merged 4 tensors");
}

#[test]
fn shards_and_companions_follow_the_options() {
    let world = World::new();
    fixture_recipe(&world);
    let options = [
        "--out-shard-size",
        "2MB",
        "--no-copy-tokenizer",
        "--no-write-model-card",
    ];
    let run = world.run(&[&["merge", "recipe.yml", "out"][..], &options].concat());
    run.expect_code(0);
    let out = world.path("out");
    assert!(
        out.join("model-00001-of-00003.safetensors").exists(),
        "{}",
        run.transcript()
    );
    assert!(out.join("model.safetensors.index.json").exists());
    assert!(!out.join("tokenizer.json").exists());
    assert!(!out.join("README.md").exists());
}

#[test]
fn threads_and_memory_come_from_the_environment_too() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let mut command = world.command(&["merge", "--dry-run", "recipe.yml", "out"]);
    command
        .env("WEIGHTSMITH_THREADS", "3")
        .env("WEIGHTSMITH_MAX_MEMORY", "64MiB");
    let run = world.outcome(&command.output().expect("starts"));
    assert!(
        run.stdout.contains("with 3 threads and at most 64.0 MiB"),
        "{}",
        run.transcript()
    );
    command.args(["-j", "2"]);
    let run = world.outcome(&command.output().expect("starts"));
    assert!(
        run.stdout.contains("with 2 threads"),
        "{}",
        run.transcript()
    );
    command.env("WEIGHTSMITH_MAX_MEMORY", "lots");
    world
        .outcome(&command.output().expect("starts"))
        .expect_code(2)
        .expect_error("`lots` is not a size");
}

#[test]
fn wrong_options_are_usage_errors() {
    let world = World::new();
    world.run(&["merge"]).expect_code(2);
    world
        .run(&["merge", "--no-such-option", "r", "o"])
        .expect_code(2);
    world.run(&["unmerge"]).expect_code(2);
    world.run(&["merge", "-j", "0", "r", "o"]).expect_code(2);
    world
        .run(&["merge", "--out-shard-size", "tiny", "r", "o"])
        .expect_code(2)
        .expect_error("`--out-shard-size`");
    world.run(&["--help"]).expect_code(0);
    world.run(&["--version"]).expect_code(0);
}

#[test]
fn every_instruction_set_of_the_cpu_writes_the_same_bytes() {
    let world = World::new();
    fixture_recipe(&world);
    let merge = |cpu: &str| {
        let mut command = world.command(&["merge", "recipe.yml", &format!("out-{cpu}")]);
        world.outcome(
            &command
                .env("WEIGHTSMITH_CPU", cpu)
                .output()
                .expect("the command starts"),
        )
    };
    let weights = |cpu: &str| {
        merge(cpu).expect_code(0);
        fs_err::read(world.path(&format!("out-{cpu}/model.safetensors"))).expect("written")
    };
    let available = weightsmith_tensors::kernels::Isa::available();
    let results: Vec<Vec<u8>> = available.iter().map(|isa| weights(isa.name())).collect();
    assert!(
        results.iter().all(|result| *result == results[0]),
        "{available:?}"
    );
    merge("abacus")
        .expect_code(2)
        .expect_error("`WEIGHTSMITH_CPU` is `abacus`");
}

/// Numbers that differ from model to model, most of them a little.
fn wavy(model: u8) -> Vec<f32> {
    let own = f32::from(model);
    (0..53 * 211u16)
        .map(|index| (f32::from(index) * 0.7).sin() + 0.1 * own * (f32::from(index) * own).cos())
        .collect()
}

#[test]
fn every_method_writes_the_same_bytes_on_every_instruction_set() {
    let world = World::new();
    for (number, model) in ["base", "model-1", "model-2"].into_iter().enumerate() {
        let name = format!("path/to/{model}");
        let values = wavy(number as u8);
        let shape = &[53u64, 211][..];
        world.model_of(
            &name,
            &[("model.embed_tokens.weight", DType::F32, shape, values)],
        );
    }
    let stack =
        "models: [{model: path/to/model-1, parameters: {scale: 0.3}}]\nmerge_method: passthrough\n";
    for method in weightsmith::methods::METHODS {
        let recipe = match method.name {
            "passthrough" => stack.to_owned(),
            _ => weightsmith::methods::minimal_recipe(method),
        };
        let thins_out = method
            .parameters
            .iter()
            .any(|parameter| parameter.name == "density");
        let recipe = if thins_out {
            recipe.replace("weight: 0.5", "weight: 0.5\n      density: 0.4")
        } else {
            recipe
        };
        world.write("recipe.yml", &recipe);
        let weights = |cpu: &str| {
            let mut command = world.command(&["merge", "recipe.yml", "out", "--force"]);
            let output = command.env("WEIGHTSMITH_CPU", cpu).output();
            world
                .outcome(&output.expect("the command starts"))
                .expect_code(0);
            fs_err::read(world.path("out/model.safetensors")).expect("written")
        };
        let available = weightsmith_tensors::kernels::Isa::available();
        let results: Vec<Vec<u8>> = available.iter().map(|isa| weights(isa.name())).collect();
        assert!(
            results.iter().all(|result| *result == results[0]),
            "{}: {available:?}",
            method.name
        );
    }
}

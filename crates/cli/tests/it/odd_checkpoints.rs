//! Checkpoints that are sound and odd, and files that are no checkpoints at all.

use crate::world::{SLERP, World, tensors};

#[test]
fn a_model_that_was_saved_with_a_wrapper_is_merged_as_the_model_itself() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    world
        .run(&["merge", "-q", "recipe.yml", "plain"])
        .expect_code(0);
    let plain = fs_err::read(world.path("plain/model.safetensors")).expect("written");
    for prefix in ["_orig_mod.", "module.", "module._orig_mod."] {
        let names: Vec<String> = tensors(2.0)
            .iter()
            .map(|(name, ..)| format!("{prefix}{name}"))
            .collect();
        let wrapped: Vec<_> = tensors(2.0)
            .into_iter()
            .zip(&names)
            .map(|((_, dtype, shape, values), name)| (name.as_str(), dtype, shape, values))
            .collect();
        world.model_of("b", &wrapped);
        let run = world.run(&["merge", "--force", "recipe.yml", "out"]);
        run.expect_code(0)
            .expect_error("`b` was saved from a wrapper that added `")
            .expect_error("the prefix is removed, as loaders expect");
        let out = fs_err::read(world.path("out/model.safetensors")).expect("written");
        assert!(out == plain, "{prefix}");
        let inspected = world.run(&["inspect", "b"]);
        assert!(
            inspected.stdout.contains("names in its files contain `"),
            "{prefix}"
        );
        let hosted = world.run(&["check", "--host", "b"]);
        hosted.expect_code(1);
        let problem = "added by a wrapper";
        assert!(hosted.stdout.contains(problem), "{}", hosted.transcript());
    }
}

#[test]
fn what_is_no_checkpoint_is_called_what_it_is() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let page = "<!DOCTYPE html>\n<html><head><title>Access is restricted</title></head></html>\n";
    world.write("b/model.safetensors", page);
    for arguments in [
        &["inspect", "b"][..],
        &["diff", "a", "b"],
        &["merge", "recipe.yml", "out"],
    ] {
        let run = world.run(arguments);
        assert!(
            run.code.is_some_and(|code| code > 0),
            "{}",
            run.transcript()
        );
        run.expect_error("model.safetensors: a web page, not safetensors weights");
    }
}

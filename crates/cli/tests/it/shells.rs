//! `completions` and `man`.

use crate::world::World;

#[test]
fn every_shell_has_its_completions() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = world.run(&["completions", shell]);
        run.expect_code(0);
        assert!(run.stdout.contains("out-shard-size"), "{shell}");
    }
    world.run(&["completions", "tcsh"]).expect_code(2);
}

#[test]
fn every_command_has_its_page() {
    let world = World::new();
    world.run(&["man", "--out", "pages"]).expect_code(0);
    let commands = [
        "merge",
        "check",
        "explain",
        "inspect",
        "diff",
        "verify",
        "methods",
        "completions",
        "man",
    ];
    let names = commands.map(|command| format!("weightsmith-{command}.1"));
    for name in ["weightsmith.1".to_owned()].iter().chain(&names) {
        let page = fs_err::read_to_string(world.path("pages").join(name)).expect("written");
        assert!(
            page.contains(".TH ") && page.contains("WEIGHTSMITH_MAX_MEMORY"),
            "{name}"
        );
    }
    let run = world.run(&["man"]);
    run.expect_code(0);
    assert!(run.stdout.contains(".SH NAME"));
}

//! Cards as runs write them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weightsmith::model::LocateOptions;
use weightsmith::plan::{PlanOptions, Planned, build};
use weightsmith::recipe::parse;
use weightsmith::run::{RunOptions, Silent, execute};
use weightsmith_report::card::ModelCardFiles;
use weightsmith_tensors::DType;
use weightsmith_tensors::testing::write_checkpoint;

/// A folder with models `a` and `b` that the recipe below merges.
fn models() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [("a", 1.0), ("b", 3.0)] {
        let tensor = |name| (name, DType::F32, &[2u64, 2][..], vec![value; 4]);
        let tensors = [
            tensor("model.embed_tokens.weight"),
            tensor("model.layers.0.mlp.up_proj.weight"),
            tensor("model.layers.1.mlp.up_proj.weight"),
        ];
        let model = folder.path().join(name);
        fs_err::create_dir(&model).unwrap();
        write_checkpoint(&model, &tensors).unwrap();
        let config = "{\"architectures\": [\"LlamaForCausalLM\"], \"num_hidden_layers\": 2}";
        fs_err::write(model.join("config.json"), config).unwrap();
    }
    folder
}

fn planned(folder: &Path, t: &str) -> Planned {
    let recipe = format!(
        "merge_method: slerp\nbase_model: a\nmodels: [{{model: a}}, {{model: b}}]\nparameters: {{t: {t}}}\n"
    );
    let mut locate = LocateOptions::from_env(|_| None);
    folder.clone_into(&mut locate.current_dir);
    let parsed = parse(&recipe, &|path| locate.exists(path));
    let options = PlanOptions {
        finished: Some(Arc::new(ModelCardFiles)),
        ..PlanOptions::new(locate)
    };
    build(&parsed.recipes[0], &options).unwrap()
}

fn run(folder: &Path, planned: &Planned) {
    let options = RunOptions {
        max_memory: 256 << 20,
        threads: 1,
        force: true,
        sync: false,
        allow_non_finite: false,
        fresh: false,
        interrupt: &AtomicBool::new(false),
    };
    execute(planned, &folder.join("out"), &options, &Silent).unwrap();
}

/// The card of a merge whose donor has that `tokenizer_config.json`.
fn card(tokenizer_config: &str) -> String {
    let folder = models();
    let path = folder.path().join("a/tokenizer_config.json");
    fs_err::write(path, tokenizer_config).unwrap();
    run(folder.path(), &planned(folder.path(), "0.5"));
    fs_err::read_to_string(folder.path().join("out/README.md")).unwrap()
}

#[test]
fn a_chat_template_of_null_is_none() {
    let chats = |config: &str| card(config).contains("apply_chat_template");
    assert!(!chats("{}"));
    assert!(!chats("{\"chat_template\": null}"));
    assert!(chats("{\"chat_template\": \"{{ messages }}\"}"));
}

#[test]
fn the_picture_is_planned_where_there_is_something_to_see() {
    let folder = models();
    for (t, has_picture) in [("0.5", false), ("[0, 1]", true)] {
        let planned = planned(folder.path(), t);
        let is_planned = |name: &str| planned.plan.file(name).is_some();
        assert!(is_planned("README.md"));
        assert_eq!(is_planned("weightsmith-shares.svg"), has_picture, "{t}");
        run(folder.path(), &planned);
        let out = folder.path().join("out");
        assert_eq!(out.join("weightsmith-shares.svg").exists(), has_picture);
    }
}

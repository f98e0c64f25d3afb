//! Merges of merges that were never written: the bytes of writing each and merging what was written.

use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::sample::select;
use weightsmith::plan::{Planned, build};
use weightsmith::recipe::parse;
use weightsmith::run::{MergedModel, RunError, Silent};
use weightsmith_tensors::{
    Checkpoint, Companion, CompanionError, DType, Error, ModelFiles, ModelIdentity, ModelSource,
    TensorEntry, TensorSource,
};

use crate::family::{Shape, Workshop, weight_files};

/// A merge of a stage, by its method.
#[derive(Debug, Clone, Copy)]
enum Method {
    Slerp,
    Ties,
    Dare,
    ModelStock,
}

const METHODS: [Method; 4] = [
    Method::Slerp,
    Method::Ties,
    Method::Dare,
    Method::ModelStock,
];

/// One merge: of `base`, the stage before (where there is one) and models of its own.
#[derive(Debug, Clone, Copy)]
struct Stage {
    method: Method,
    dtype: &'static str,
    /// Position of the earlier stage among the models.
    place: usize,
    /// Whether the earlier stage is the base.
    is_base: bool,
}

impl Stage {
    fn recipe(self, earlier: Option<&str>) -> String {
        let mut models = ["a", "b", "c"];
        let mut base = "base";
        if let Some(earlier) = earlier {
            if self.is_base {
                base = earlier;
            } else {
                models[self.place] = earlier;
            }
        }
        let [a, b, c] = models;
        let dtype = self.dtype;
        let tail = format!("base_model: {base}\ndtype: {dtype}\n");
        match self.method {
            Method::Slerp => format!(
                "models: [{{model: {base}}}, {{model: {}}}]\nmerge_method: slerp\n{tail}parameters: {{t: [0.3, 0.6]}}\n",
                models[self.place]
            ),
            Method::Ties => format!(
                "models:\n  - {{model: {a}, parameters: {{weight: 0.7, density: 0.4}}}}\n  - {{model: {b}, parameters: {{weight: 0.5, density: 0.6}}}}\n  - {{model: {c}, parameters: {{weight: 0.2, density: 0.9}}}}\nmerge_method: ties\n{tail}"
            ),
            Method::Dare => format!(
                "models:\n  - {{model: {a}, parameters: {{weight: 0.7, density: 0.5}}}}\n  - {{model: {b}, parameters: {{weight: 0.5, density: 0.3}}}}\n  - {{model: {c}, parameters: {{weight: 0.2, density: 0.8}}}}\nmerge_method: dare_ties\n{tail}parameters: {{rescale: true}}\n"
            ),
            Method::ModelStock => format!(
                "models: {}\nmerge_method: model_stock\n{tail}",
                listed(models)
            ),
        }
    }
}

fn listed(models: [&str; 3]) -> String {
    let models = models.map(|model| format!("{{model: {model}}}"));
    format!("[{}]", models.join(", "))
}

fn stage() -> impl Strategy<Value = Stage> {
    let dtypes = select(&["bfloat16", "float16", "float32"][..]);
    (select(&METHODS[..]), dtypes, 0..3_usize, any::<bool>()).prop_map(
        |(method, dtype, place, is_base)| Stage {
            method,
            dtype,
            place,
            is_base,
        },
    )
}

fn shape() -> impl Strategy<Value = Shape> {
    let dtypes = select(&[DType::BF16, DType::F16, DType::F32, DType::F64][..]);
    (1..4_u64, 1..70_u64, 1..90_u64, dtypes, any::<bool>()).prop_map(
        |(layers, hidden, vocabulary, dtype, tied)| Shape {
            layers,
            hidden,
            vocabulary,
            dtype,
            tied,
        },
    )
}

fn family(shape: &Shape) -> Workshop {
    let workshop = Workshop::new();
    for (seed, name) in [(0, "base"), (1, "a"), (2, "b"), (3, "c")] {
        workshop.model(name, seed, shape);
    }
    workshop
}

/// Plans a recipe in which a name may stand for a model that is open.
fn plan_with(
    workshop: &Workshop,
    recipe: &str,
    given: Option<(&str, Arc<dyn ModelSource>)>,
) -> Planned {
    let mut options = workshop.plan_options();
    if let Some((name, model)) = given {
        options.locate.given.insert(name.to_owned(), model);
    }
    let parsed = parse(recipe, &|path| options.locate.exists(path));
    build(&parsed.recipes[0], &options).unwrap_or_else(|found| panic!("{found:?}\n{recipe}"))
}

fn unwritten(planned: &Planned, name: &str) -> Arc<dyn ModelSource> {
    Arc::new(MergedModel::new(planned, name).unwrap())
}

fn write(
    workshop: &Workshop,
    planned: &Planned,
    out: &str,
    threads: usize,
    max_memory: u64,
) -> Result<(), RunError> {
    let interrupt = AtomicBool::new(false);
    let run = workshop.run(planned, out, &Silent, &interrupt, |options| {
        options.threads = threads;
        options.max_memory = max_memory;
    });
    run.map(|_| ())
}

/// Everything of a result but what tells when it was made.
fn result(workshop: &Workshop, out: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = weight_files(&workshop.path(out));
    for name in ["config.json", "tokenizer_config.json"] {
        let content = fs_err::read(workshop.path(out).join(name)).unwrap_or_default();
        files.push((name.to_owned(), content));
    }
    files
}

/// Merges in stages, each written, and in stages of which only the last is written.
fn both(workshop: &Workshop, stages: &[Stage], threads: usize, max_memory: u64) {
    let mut written: Option<String> = None;
    let mut chain: Option<(String, Arc<dyn ModelSource>)> = None;
    for (number, stage) in stages.iter().enumerate() {
        let name = format!("stage{number}");
        let recipe = stage.recipe(written.as_deref());
        let given = chain.as_ref();
        let given = given.map(|(name, model)| (name.as_str(), Arc::clone(model)));
        let planned = plan_with(workshop, &recipe, given);
        if number + 1 == stages.len() {
            write(workshop, &planned, "unwritten", threads, max_memory).unwrap();
        }
        workshop.merge(&recipe, &name);
        chain = Some((name.clone(), unwritten(&planned, &name)));
        written = Some(name);
    }
    let expected = result(workshop, written.as_deref().unwrap());
    assert!(expected.len() > 2);
    let found = result(workshop, "unwritten");
    assert!(found == expected, "other bytes: {stages:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn stages_need_not_be_written(
        shape in shape(),
        stages in proptest::collection::vec(stage(), 2..=3),
        threads in select(&[1_usize, 2, 5][..]),
        budget in select(&[16_u64 << 20, 64 << 20, 256 << 20][..]),
    ) {
        both(&family(&shape), &stages, threads, budget);
    }
}

#[test]
fn every_method_takes_every_method() {
    let shape = Shape {
        layers: 2,
        hidden: 67,
        vocabulary: 45,
        dtype: DType::BF16,
        tied: true,
    };
    for inner in METHODS {
        for outer in METHODS {
            for is_base in [false, true] {
                let stage = |method| Stage {
                    method,
                    dtype: "bfloat16",
                    place: 1,
                    is_base,
                };
                both(&family(&shape), &[stage(inner), stage(outer)], 2, 64 << 20);
            }
        }
    }
}

/// A model of which it is counted what is read.
#[derive(Debug)]
struct Counted {
    model: Checkpoint,
    bytes: Arc<AtomicU64>,
}

impl TensorSource for Counted {
    fn tensors(&self) -> &[TensorEntry] {
        self.model.tensors()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.model.find(name)
    }

    fn read<'a>(
        &'a self,
        tensor: usize,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        let bytes = self.model.read(tensor, elements, scratch)?;
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

impl ModelFiles for Counted {
    fn path_of(&self, name: &str) -> PathBuf {
        self.model.path_of(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.model.file(name)
    }

    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        self.model.companions()
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.model.open_companion(relative)
    }
}

impl ModelSource for Counted {
    fn identity(&self) -> ModelIdentity {
        self.model.identity()
    }

    fn origin(&self) -> &Path {
        self.model.origin()
    }

    fn local_paths(&self) -> Vec<PathBuf> {
        self.model.local_paths()
    }

    fn ensure_unchanged(&self) -> Result<(), Error> {
        self.model.ensure_unchanged()
    }
}

/// An embedding of several blocks of output and of several reduction blocks.
fn large() -> Shape {
    Shape {
        layers: 1,
        hidden: 520,
        vocabulary: 8111,
        dtype: DType::BF16,
        tied: true,
    }
}

const SLERP: &str = "
models: [{model: a}, {model: b}]
merge_method: slerp
base_model: b
dtype: bfloat16
parameters: {t: 0.3}
";

#[test]
fn what_a_stage_needs_of_a_whole_tensor_is_measured_once() {
    let workshop = family(&large());
    let model = Checkpoint::open(&workshop.path("a")).unwrap();
    let size = model.bytes();
    let bytes = Arc::new(AtomicU64::new(0));
    let counted: Arc<dyn ModelSource> = Arc::new(Counted {
        model,
        bytes: Arc::clone(&bytes),
    });
    let inner = plan_with(&workshop, SLERP, Some(("a", counted)));
    // a pass for the inner norms, then one for each time that the outer merge reads its result
    for (outer, passes) in [
        (
            "models: [{model: inner, parameters: {weight: 0.5}}, {model: c, parameters: {weight: 0.5}}]\nmerge_method: linear\ndtype: bfloat16\n",
            2,
        ),
        (
            "models: [{model: inner}, {model: c}]\nmerge_method: slerp\nbase_model: c\ndtype: bfloat16\nparameters: {t: 0.5}\n",
            3,
        ),
    ] {
        bytes.store(0, Ordering::Relaxed);
        let planned = plan_with(
            &workshop,
            outer,
            Some(("inner", unwritten(&inner, "inner"))),
        );
        write(&workshop, &planned, "out", 4, 256 << 20).unwrap();
        fs_err::remove_dir_all(workshop.path("out")).unwrap();
        let read = bytes.load(Ordering::Relaxed);
        assert!(
            read >= passes * size && read < passes * size + size / 10,
            "{read} bytes of {size}, {passes} times expected"
        );
    }
}

#[test]
fn a_stage_s_memory_counts_and_is_enough() {
    let workshop = family(&large());
    let needed = |planned: &Planned| match write(&workshop, planned, "little", 2, 1) {
        Err(RunError::Budget { needed, .. }) => needed,
        other => panic!("{other:?}"),
    };
    let recipe = |model: &str| {
        format!(
            "models: [{{model: {model}}}, {{model: c}}]\nmerge_method: slerp\nbase_model: c\ndtype: bfloat16\nparameters: {{t: 0.5}}\n"
        )
    };
    let flat = plan_with(&workshop, &recipe("a"), None);
    let inner = unwritten(&plan_with(&workshop, SLERP, None), "inner");
    let two = plan_with(&workshop, &recipe("inner"), Some(("inner", inner)));
    let middle = unwritten(&two, "middle");
    let three = plan_with(&workshop, &recipe("middle"), Some(("middle", middle)));
    let [flat, second, third] = [&flat, &two, &three].map(needed);
    // a piece of 64 tiles for what is read, at the least
    assert!(second > flat + (256 << 10), "{second} {flat}");
    assert!(third > second + (256 << 10), "{third} {second}");
    assert!(write(&workshop, &three, "little", 2, third - 1).is_err());
    write(&workshop, &three, "enough", 2, third).unwrap();
    write(&workshop, &three, "plenty", 2, 1 << 30).unwrap();
    assert!(result(&workshop, "enough") == result(&workshop, "plenty"));
}

#[test]
fn an_unwritten_stage_has_the_files_that_it_would_have_on_disk() {
    let workshop = family(&Shape::default());
    let settings = r#"{"name_or_path": "/home/somebody/base", "model_max_length": 5}"#;
    fs_err::write(workshop.path("b/tokenizer_config.json"), settings).unwrap();
    fs_err::write(workshop.path("b/README.md"), "about b").unwrap();
    let planned = workshop.plan(SLERP);
    workshop.merge(SLERP, "out");
    let model = MergedModel::new(&planned, "out").unwrap();
    let listed = model.companions().unwrap();
    let names: Vec<&Path> = listed.iter().map(|one| one.relative.as_path()).collect();
    assert_eq!(
        names,
        [Path::new("config.json"), Path::new("tokenizer_config.json")]
    );
    for companion in &listed {
        let expected = fs_err::read(workshop.path("out").join(&companion.relative)).unwrap();
        let mut found = Vec::new();
        let mut file = model.open_companion(&companion.relative).unwrap();
        file.read_to_end(&mut found).unwrap();
        assert_eq!(found, expected);
        assert_eq!(companion.bytes, expected.len() as u64);
        let name = companion.relative.to_str().unwrap();
        assert_eq!(model.file(name).unwrap(), Some(expected));
    }
    assert_eq!(model.file("README.md").unwrap(), None);
    assert!(model.open_companion(Path::new("README.md")).is_err());
}

#[test]
fn stages_are_told_apart_by_what_they_are_made_of() {
    let workshop = family(&Shape::default());
    let identity = |recipe: &str| {
        MergedModel::new(&workshop.plan(recipe), "x")
            .unwrap()
            .identity()
    };
    let first = identity(SLERP);
    assert_eq!(first, identity(SLERP));
    assert_ne!(first, identity(&SLERP.replace("t: 0.3", "t: 0.4")));
    workshop.model(
        "c",
        3,
        &Shape {
            layers: 2,
            ..Shape::default()
        },
    );
    let two = SLERP
        .replace("model: a", "model: c")
        .replace("model: b", "model: c");
    assert_ne!(
        first,
        identity(&two.replace("base_model: b", "base_model: c"))
    );
}

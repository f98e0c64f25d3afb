//! Models in object stores. What needs a server runs where `WEIGHTSMITH_MOTO` is the path of moto's `moto_server`;
//! `tools/peer/stores/roundtrip.py` tries more there.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{FIXTURES, Run, World};

const RECIPE: &str = "\
merge_method: slerp
base_model: s3://models/base
models:
  - model: s3://models/base
  - model: s3://models/instruct
parameters:
  t: 0.4
dtype: bfloat16
";

/// A run that asks the store at an address.
fn run(world: &World, endpoint: &str, arguments: &[&str]) -> Run {
    let mut command = world.command(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .env("XDG_CACHE_HOME", world.path("cache"))
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ALLOW_HTTP", "true");
    if arguments.last() == Some(&"s3://nobody/out") {
        command.env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9");
    } else {
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
    }
    world.outcome(&command.output().expect("the command starts"))
}

#[test]
fn addresses_that_are_none_are_refused_before_anything_is_asked() {
    let world = World::new();
    world.write("recipe.yml", RECIPE);
    for (out, why) in [
        ("s3://", "no bucket"),
        ("gs://b//a", "is empty"),
        ("az://b/../a", "`.` or `..`"),
        ("hf://name", "expected `hf://ACCOUNT/NAME`"),
    ] {
        let run = run(&world, "http://127.0.0.1:9", &["merge", "recipe.yml", out]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
}

#[test]
fn a_store_that_cannot_be_reached_is_said_at_the_models_place() {
    let world = World::new();
    world.write("recipe.yml", RECIPE);
    let run = run(&world, "http://127.0.0.1:9", &["check", "recipe.yml"]);
    assert_eq!(run.code, Some(2));
    for words in [
        "the store of `s3://models/base` cannot be reached",
        "the store of `s3://models/instruct` cannot be reached",
        "recipe.yml:2",
        "2 errors",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

#[test]
fn without_credentials_a_merge_ends_before_it_begins() {
    let world = World::with_models();
    world.write("recipe.yml", RECIPE);
    let run = run(
        &world,
        "http://127.0.0.1:9",
        &["merge", "recipe.yml", "s3://nobody/out"],
    );
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .contains("there are no credentials for `s3://nobody/out`")
            && run.stderr.contains("set AWS_ACCESS_KEY_ID"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_takes_folders_alone_says_so() {
    let world = World::new();
    let run = run(
        &world,
        "http://127.0.0.1:9",
        &["check", "--host", "s3://models/base"],
    );
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("is in an object store"),
        "{}",
        run.stderr
    );
}

/// Says who asks; moto does not check the signature.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
    SignedHeaders=host, Signature=00";

/// moto's server.
struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts it with the trained models in the bucket `models`; nothing, with the reason printed, where it is not installed.
    #[expect(clippy::print_stderr, reason = "a test that does not run says so")]
    fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("WEIGHTSMITH_MOTO") else {
            eprintln!("skipped: WEIGHTSMITH_MOTO does not name a `moto_server`");
            return None;
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let start = Instant::now();
        while ureq::put(format!("{}/models", moto.url))
            .send_empty()
            .is_err()
        {
            assert!(start.elapsed() < Duration::from_mins(1), "moto answers");
            std::thread::sleep(Duration::from_millis(100));
        }
        for model in ["base", "instruct"] {
            for entry in fs_err::read_dir(Path::new(FIXTURES).join(model)).expect("a fixture") {
                let path = entry.expect("readable").path();
                let name = path.file_name().expect("a name").to_string_lossy();
                ureq::put(format!("{}/models/{model}/{name}", moto.url))
                    .send(&fs_err::read(&path).expect("readable")[..])
                    .expect("put");
            }
        }
        Some(moto)
    }

    fn get(&self, name: &str) -> Vec<u8> {
        let answer = ureq::get(format!("{}/models/{name}", self.url))
            .header("authorization", SIGNED)
            .call();
        answer
            .expect("there")
            .body_mut()
            .read_to_vec()
            .expect("read")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_merge_goes_from_a_store_to_a_store() {
    let Some(moto) = Moto::start() else { return };
    let world = World::new();
    world.write("recipe.yml", RECIPE);
    let to_store = ["merge", "recipe.yml", "s3://models/out"];
    let merged = run(&world, &moto.url, &to_store);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    let here = run(&world, &moto.url, &["merge", "recipe.yml", "out"]);
    assert_eq!(here.code, Some(0), "{}", here.stderr);
    for name in [
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "README.md",
    ] {
        let expected = fs_err::read(world.path("out").join(name)).expect("merged");
        assert_eq!(moto.get(&format!("out/{name}")), expected, "{name}");
    }
    let again = run(&world, &moto.url, &to_store);
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("there is already a merged model"),
        "{}",
        again.stderr
    );
    let forced = [&to_store[..1], &["--force"], &to_store[1..]].concat();
    assert_eq!(run(&world, &moto.url, &forced).code, Some(0));
}

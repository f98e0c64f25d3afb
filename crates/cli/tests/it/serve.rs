//! `serve`: a server that answers over a socket, and ends when it is asked to.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::world::{FIXTURES, World};

/// A running server.
pub(crate) struct Serving {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    address: String,
    /// What it said before it listened.
    pub(crate) said: String,
}

impl Serving {
    pub(crate) fn start(world: &World, arguments: &[&str]) -> Self {
        let line: Vec<&str> = ["serve", "--port", "0", "-j", "1"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        Self::spawn(&mut world.command(&line))
    }

    /// Runs a command that serves, and waits until it listens.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("stderr"));
        let mut text = String::new();
        let address = loop {
            let begin = text.len();
            assert_ne!(log.read_line(&mut text).expect("a line"), 0, "{text}");
            if let Some((_, address)) = text[begin..].split_once("listening on http://") {
                break address.trim().to_owned();
            }
        };
        Self {
            child,
            log,
            address,
            said: text,
        }
    }

    /// Listens to what happens, as a page does.
    pub(crate) fn listen(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        let request = format!("GET /api/events HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut first = [0; 16];
        stream.read_exact(&mut first).expect("it listens");
        stream
    }

    /// Asks for a path, with JSON where there is some; the whole answer.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_mins(2)))
            .expect("set");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a request and does not wait for the answer.
    fn open(&self, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_mins(2)))
            .expect("set");
        let head = format!(
            "POST /v1/completions HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(body.as_bytes()).expect("sent");
        stream
    }

    /// Sends a request; the whole answer.
    pub(crate) fn ask(&self, body: &str) -> String {
        let mut answer = String::new();
        self.open(body)
            .read_to_string(&mut answer)
            .expect("an answer");
        answer
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end.
    pub(crate) fn terminate(&self) {
        let signal = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(signal.expect("kill").success());
    }

    /// Waits until it has ended; what it said meanwhile.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("a child");
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("text");
        (status, rest)
    }
}

#[test]
fn models_and_recipes_answer_until_the_server_is_asked_to_end() {
    let world = World::new();
    world.write("both.yml", &format!(
        "models:\n  - model: {FIXTURES}/base\n  - model: {FIXTURES}/instruct\nmerge_method: slerp\nbase_model: {FIXTURES}/instruct\nparameters: {{t: 0.1}}\n"
    ));
    let named = format!("other={FIXTURES}/base");
    let serving = Serving::start(&world, &["both.yml", &named]);
    for (model, status) in [
        ("both", "200 OK"),
        ("other", "200 OK"),
        ("base", "404 Not Found"),
    ] {
        let body = format!(r#"{{"model": "{model}", "prompt": "Anna lives", "max_tokens": 3}}"#);
        let answer = serving.ask(&body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
    }
    serving.terminate();
    let (status, log) = serving.ended();
    assert_eq!(status.code(), Some(0));
    assert_eq!(log, "shutting down; finishing active requests\n");
}

/// A request for a stream of so many tokens, of which the first has come.
fn streaming(serving: &Serving, tokens: u32) -> TcpStream {
    let mut stream = serving.open(&format!(
        r#"{{"model": "instruct", "prompt": "Anna", "max_tokens": {tokens}, "ignore_eos": true, "stream": true}}"#
    ));
    let mut first = [0; 16];
    stream.read_exact(&mut first).expect("it runs");
    stream
}

#[test]
fn what_runs_is_finished_within_the_grace_period() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let serving = Serving::start(&world, &[&model, "--grace", "60"]);
    let mut stream = streaming(&serving, 200);
    serving.terminate();
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    assert!(text.contains("data: [DONE]"), "{text}");
    assert_eq!(serving.ended().0.code(), Some(0));
}

#[test]
fn what_runs_longer_is_ended_with_it() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let serving = Serving::start(&world, &[&model, "--grace", "0"]);
    let mut stream = streaming(&serving, 100_000);
    serving.terminate();
    let mut rest = Vec::new();
    // the connection is closed in one way or another
    let _ = stream.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("data: [DONE]"));
    assert_eq!(serving.ended().0.code(), Some(0));
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let run = world.run(&["serve", &model, "--host", "0.0.0.0"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr
            .contains("0.0.0.0:8080 can be reached from other machines, and there is no API key"),
        "{}",
        run.stderr
    );
    let run = world.run(&["serve", &model, &model]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("two models are called `instruct`"),
        "{}",
        run.stderr
    );
    let run = world.run(&["serve", "nothing"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("nothing"), "{}", run.stderr);
}

/// Memory of a process that is its own, in bytes.
#[cfg(target_os = "linux")]
fn private_memory(process: u32) -> u64 {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.expect("RssAnon").trim().trim_end_matches("kB").trim();
    number.parse::<u64>().expect("a number") << 10
}

#[test]
#[cfg(target_os = "linux")]
fn twenty_texts_that_cannot_fit_take_neither_memory_nor_time() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let world = World::new();
    let instruct = format!("{FIXTURES}/instruct");
    let arguments = [
        "--parallel",
        "1",
        "--queue",
        "0",
        "--context",
        "2048",
        &instruct,
    ];
    let serving = Serving::start(&world, &arguments);
    let short = r#"{"model": "instruct", "prompt": "Anna", "max_tokens": 1}"#;
    assert!(serving.ask(short).starts_with("HTTP/1.1 200 OK\r\n"));
    let before = private_memory(serving.child.id());
    let text = "a b ".repeat(1_950_000);
    let body = format!(r#"{{"model": "instruct", "prompt": "{text}"}}"#);
    let done = AtomicBool::new(false);
    let begun = std::time::Instant::now();
    let (peak, answers) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(private_memory(serving.child.id()));
                std::thread::sleep(Duration::from_millis(2));
            }
            peak
        });
        let asking: Vec<_> = ["/tokenize", "/v1/completions"]
            .iter()
            .cycle()
            .take(20)
            .map(|path| scope.spawn(|| serving.send("POST", path, &body)))
            .collect();
        let answers: Vec<String> = asking
            .into_iter()
            .map(|one| one.join().expect("an answer"))
            .collect();
        done.store(true, Ordering::Relaxed);
        (watching.join().expect("a peak"), answers)
    });
    for answer in &answers {
        let refused =
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("context_length_exceeded");
        let busy = answer.starts_with("HTTP/1.1 429 ") || answer.starts_with("HTTP/1.1 503 ");
        assert!(refused || busy, "{answer}");
    }
    assert!(
        answers
            .iter()
            .any(|answer| answer.starts_with("HTTP/1.1 400 "))
    );
    // one of them took 2.7 GB when it was read to its end; what is left are the bodies, twice each
    let grown = peak.saturating_sub(before) >> 20;
    assert!(grown < 500, "{grown} MiB");
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "{:?}",
        begun.elapsed()
    );
    assert!(serving.ask(short).starts_with("HTTP/1.1 200 OK\r\n"));
    serving.terminate();
    assert_eq!(serving.ended().0.code(), Some(0));
}

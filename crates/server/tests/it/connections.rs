//! Clients on sockets: idle, slow, many, and some that go on sending.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use tokio::sync::Notify;
use weightsmith_server::{Server, Settings};

use crate::world::served;

/// A server on a port of its own.
struct Listening {
    address: SocketAddr,
    end: std::sync::Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    fn with(settings: Settings) -> Self {
        let (sender, receiver) = mpsc::channel();
        let end = std::sync::Arc::new(Notify::new());
        let asked = std::sync::Arc::clone(&end);
        let settings = Settings {
            address: "127.0.0.1:0".parse().expect("an address"),
            ..settings
        };
        let thread = std::thread::spawn(move || {
            let server = Server::bind(vec![served("instruct")], settings).expect("it listens");
            sender.send(server.address()).expect("somebody waits");
            server.run_until(async || asked.notified().await, || {});
        });
        Self {
            address: receiver.recv().expect("it listens"),
            end,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it accepts");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("a time");
        stream.set_write_timeout(patience).expect("a time");
        stream
    }

    fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).expect("it reads");
        stream
    }

    /// The answer to a request on a connection of its own.
    fn ask(&self, text: &str) -> String {
        rest(&mut self.send(text))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // once to close, once to end what runs
        self.end.notify_one();
        let thread = self.thread.take().expect("it runs");
        while !thread.is_finished() {
            self.end.notify_one();
            std::thread::sleep(Duration::from_millis(5));
        }
        thread.join().expect("it ended");
    }
}

/// Everything until the connection is closed.
fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => return text,
            Ok(count) => text += &String::from_utf8_lossy(&bytes[..count]),
        }
    }
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

fn post(path: &str, length: usize, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n"
    )
}

#[test]
fn idle_connections_shut_nobody_out() {
    let server = Listening::with(Settings {
        connections: Some(32),
        api_key: Some("a secret".to_owned()),
        ..Settings::default()
    });
    // silent ones, half a head, and a finished request that keeps its connection
    let mut idle = Vec::new();
    for number in 0..100 {
        idle.push(server.send(match number % 3 {
            0 => "",
            1 => "GET /health HTTP/1.1\r\nhost: local",
            _ => "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n",
        }));
    }
    let begun = Instant::now();
    for _ in 0..5 {
        assert!(server.ask(HEALTH).starts_with("HTTP/1.1 200"));
        let models = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer a secret\r\nconnection: close\r\n\r\n";
        assert!(server.ask(models).starts_with("HTTP/1.1 200"));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn who_is_being_answered_keeps_the_connection_while_others_come() {
    let server = Listening::with(Settings {
        connections: Some(16),
        ..Settings::default()
    });
    let body = r#"{"model": "instruct", "prompt": "Anna", "max_tokens": 200, "ignore_eos": true, "stream": true}"#;
    let mut answered =
        server.send(&(post("/v1/completions", body.len(), "connection: close\r\n") + body));
    let mut first = [0; 12];
    answered.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    let idle: Vec<TcpStream> = (0..64).map(|_| server.connect()).collect();
    let text = rest(&mut answered);
    assert!(text.contains("data: [DONE]"), "{text}");
    drop(idle);
}

#[test]
fn a_slow_head_and_a_slow_body_are_given_up() {
    let server = Listening::with(Settings {
        patience: Duration::from_millis(300),
        ..Settings::default()
    });
    let mut bodies =
        ["/v1/completions", "/tokenize"].map(|path| server.send(&(post(path, 100, "") + "{")));
    let mut head = server.send("GET /hea");
    let begun = Instant::now();
    let texts = bodies.each_mut().map(rest);
    for text in texts {
        assert!(text.starts_with("HTTP/1.1 408"), "{text}");
        assert!(text.contains("the body did not arrive within"), "{text}");
    }
    rest(&mut head);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_client_that_still_sends_reads_why_it_is_refused() {
    let server = Listening::with(Settings {
        api_key: Some("a secret".to_owned()),
        body_bytes: 1 << 20,
        ..Settings::default()
    });
    let key = "authorization: Bearer a secret\r\nconnection: close\r\n";
    let length = 24 << 20;
    for (path, headers, status) in [
        ("/v1/completions", key, "413"),
        ("/v1/completions", "connection: close\r\n", "401"),
        ("/v1/nowhere", key, "404"),
        ("/v1/models", key, "405"),
        ("/tokenize", key, "413"),
    ] {
        let mut stream = server.send(&post(path, length, headers));
        // all of it is written before anything is read
        for _ in 0..length >> 16 {
            stream.write_all(&vec![b' '; 1 << 16]).expect("it is taken");
        }
        let text = rest(&mut stream);
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {text}"
        );
    }
    // without a length too
    let head =
        post("/v1/completions", 0, key).replace("content-length: 0", "transfer-encoding: chunked");
    let mut stream = server.send(&head);
    for _ in 0..100 {
        stream.write_all(b"10000\r\n").expect("it is taken");
        stream.write_all(&vec![b' '; 1 << 16]).expect("it is taken");
        stream.write_all(b"\r\n").expect("it is taken");
    }
    stream.write_all(b"0\r\n\r\n").expect("it is taken");
    assert!(rest(&mut stream).starts_with("HTTP/1.1 413"));
}

#[test]
fn a_refused_client_goes_on_with_its_connection() {
    let server = Listening::with(Settings {
        body_bytes: 1000,
        ..Settings::default()
    });
    let mut stream = server.send(&post("/tokenize", 5000, ""));
    stream.write_all(&[b' '; 5000]).expect("it is taken");
    stream.write_all(HEALTH.as_bytes()).expect("it is taken");
    let text = rest(&mut stream);
    assert!(
        text.starts_with("HTTP/1.1 413") && text.contains("HTTP/1.1 200"),
        "{text}"
    );
}

#[test]
fn a_client_that_waits_for_word_is_refused_before_it_sends() {
    let server = Listening::with(Settings {
        body_bytes: 1000,
        ..Settings::default()
    });
    let mut stream = server.send(&post("/tokenize", 5000, "expect: 100-continue\r\n"));
    let begun = Instant::now();
    let text = rest(&mut stream);
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn clients_that_hang_up_leave_nothing_behind() {
    let server = Listening::with(Settings {
        connections: Some(16),
        ..Settings::default()
    });
    for number in 0..200 {
        let stream = server.send(match number % 4 {
            0 => "",
            1 => "POST /tokenize HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{",
            2 => "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n",
            _ => "nonsense\r\n\r\n",
        });
        if number % 2 == 0 {
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
    assert!(server.ask(HEALTH).starts_with("HTTP/1.1 200"));
}

#[test]
fn guesses_of_the_key_have_to_wait_and_sessions_and_proven_connections_do_not() {
    let server = Listening::with(Settings {
        api_key: Some("a secret".to_owned()),
        ..Settings::default()
    });
    let request = |key: &str, more: &str| {
        format!(
            "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n{more}\r\n"
        )
    };
    let close = "connection: close\r\n";
    let mut proven = server.send(&request("a secret", ""));
    let mut bytes = [0; 4096];
    let count = proven.read(&mut bytes).expect("an answer");
    assert!(bytes[..count].starts_with(b"HTTP/1.1 200"));
    let guesses: Vec<String> = (0..8)
        .map(|number| server.ask(&request(&format!("guess {number}"), close)))
        .collect();
    for text in &guesses[..5] {
        assert!(text.starts_with("HTTP/1.1 401"), "{text}");
    }
    for text in &guesses[5..] {
        assert!(
            text.starts_with("HTTP/1.1 429") && text.contains("retry-after: 1\r\n"),
            "{text}"
        );
    }
    // what was proven before goes on
    proven
        .write_all(request("a secret", close).as_bytes())
        .expect("it reads");
    assert!(rest(&mut proven).starts_with("HTTP/1.1 200"));
    // and so does everybody a second later
    std::thread::sleep(Duration::from_millis(1100));
    assert!(
        server
            .ask(&request("a secret", close))
            .starts_with("HTTP/1.1 200")
    );
}

//! The server, over a connection.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_server::{ModelFacts, ServedModel, Server, Settings};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Everything that a client sends before it listens.
pub fn request(input: &[u8]) {
    let mut stream = TcpStream::connect(server()).expect("the server accepts connections");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a socket has a time limit");
    // a server that has heard enough closes before everything is sent
    let _ = stream.write_all(input);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    match stream.take(8 << 20).read_to_end(&mut answer) {
        Ok(_) => {}
        Err(problem) if problem.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(problem) => panic!("no end of the answer: {problem}"),
    }
    let start = String::from_utf8_lossy(&answer[..answer.len().min(12)]);
    assert!(
        answer.is_empty() || start.starts_with("HTTP/1."),
        "not HTTP: {start}"
    );
    assert!(!start.ends_with(" 500"), "an error of the server's own");
}

/// A server on the smallest trained model, with few positions, so that no answer takes long.
fn server() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tiny-qwen2/instruct");
        let pool = Arc::new(Pool::new(1));
        let model = ServedModel::new("instruct", ModelFacts::default(), move |_| {
            Model::open(&folder, Arc::clone(&pool), DecoderOptions::default())
                .map_err(|error| error.to_string())
        });
        let settings = Settings {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            context: Some(48),
            ..Settings::default()
        };
        let server = Server::bind(vec![model], settings).expect("a port on loopback");
        let address = server.address();
        thread::spawn(move || server.run(|| ()));
        address
    })
}

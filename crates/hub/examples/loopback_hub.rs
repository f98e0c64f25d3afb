//! A hub on loopback, to try other clients against.
//!
//! `loopback_hub [--port N] [--token TOKEN=USER] [--private NAME] [--part-size BYTES] [NAME=FOLDER ...]` serves the folders' files as
//! models, prints its address and runs until it is killed. What is uploaded is kept while it runs.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use weightsmith_hub::testing::{Access, Content, TestHub};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let mut port = 0;
    if arguments.peek().is_some_and(|first| first == "--port") {
        arguments.next();
        port = arguments.next().ok_or("a port after --port")?.parse()?;
    }
    let hub = TestHub::start_at(port)?;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("a value after {argument}"));
        match argument.as_str() {
            "--token" => {
                let value = value()?;
                let (token, user) = value.split_once('=').ok_or("TOKEN=USER")?;
                hub.add_token(token, user);
            }
            "--private" => hub.set_access(&value()?, Access::Private),
            "--part-size" => hub.set_part_size(value()?.parse()?),
            model => {
                let (name, folder) = model.split_once('=').ok_or("NAME=FOLDER")?;
                serve(&hub, name, Path::new(folder))?;
            }
        }
    }
    writeln!(std::io::stdout(), "{}", hub.url())?;
    loop {
        std::thread::park();
    }
}

fn serve(hub: &TestHub, name: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            files.push((file.into_owned(), path));
        }
    }
    let contents: Result<Vec<_>, _> = files
        .iter()
        .map(|(file, path)| Ok::<_, std::io::Error>((file.as_str(), Content::file(path)?)))
        .collect();
    hub.add_model(name, contents?)?;
    Ok(())
}

//! `serve`: answers requests over HTTP.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use weightsmith_server::{EngineSettings, ModelFacts, ServedModel, Server, ServerError, Settings};
use weightsmith_session::quantities::{bytes, counted, parameters};
use weightsmith_session::{is_recipe, modified};
use weightsmith_studio::{StudioSettings, served_model};

use super::studio;
use crate::args::{LimitArgs, ModelArgs, Quantization, ServeArgs, ServingArgs, StudioArgs};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::{size, text_models};
use crate::terminal_progress::TerminalProgress;

/// The port where none is asked for.
const PORT: u16 = 8080;

/// Serves until it is asked to end.
pub(crate) fn run(args: ServeArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let ServeArgs { serving, no_studio } = args;
    if no_studio && serving.models.is_empty() {
        return Err(Failure::usage(
            "nothing to serve: no model is given, and `--no-studio` is set",
        )
        .hint("name a model, or omit `--no-studio`"));
    }
    let address = SocketAddr::new(serving.host, serving.port.unwrap_or(PORT));
    serve(serving, address, !no_studio, &|_| {}, printer)
}

/// As [`run`], with a browser on it.
pub(crate) fn open_browser_too(args: StudioArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let StudioArgs {
        serving,
        no_browser,
    } = args;
    let address = free_address(serving.host, serving.port);
    let show = |address: SocketAddr| {
        let page = format!("http://{address}/");
        if !no_browser && let Err(error) = open::that_detached(&page) {
            printer.warning(&format!("cannot open a browser: {error}; open {page}"));
        }
    };
    serve(serving, address, true, &show, printer)
}

/// The port that was asked for, else the usual one, else any that is free.
fn free_address(host: IpAddr, port: Option<u16>) -> SocketAddr {
    let usual = SocketAddr::new(host, port.unwrap_or(PORT));
    if port.is_some() || TcpListener::bind(usual).is_ok() {
        return usual;
    }
    SocketAddr::new(host, 0)
}

/// Listens; tells `ready` where.
fn serve(
    args: ServingArgs,
    address: SocketAddr,
    with_studio: bool,
    ready: &dyn Fn(SocketAddr),
    printer: &Printer,
) -> Result<ExitCode, Failure> {
    let ServingArgs {
        models: names,
        host: _,
        port: _,
        api_key,
        allow_host,
        allow_origin,
        folders,
        limits,
        options,
    } = args;
    let settings = Settings {
        address,
        api_key,
        hosts: allow_host,
        origins: allow_origin,
        ..resolve(limits)?
    };
    settings.check().map_err(explain)?;
    let wanted = if with_studio {
        studio::settings(folders, &options, &settings, !names.is_empty(), printer)?
    } else {
        None
    };
    let settings = Settings {
        ended_sessions: wanted.as_ref().map(StudioSettings::ended_sessions),
        ..settings
    };
    let served = given(&names, &options, printer)?;
    let mut server = Server::bind(served, settings).map_err(explain)?;
    server.catch_signals().map_err(explain)?;
    let studio = studio::open(wanted, &server, !names.is_empty(), printer)?;
    let server = match &studio {
        Some(studio) => server.with_pages(studio.pages()),
        None => server,
    };
    let address = server.address();
    printer.talk(&format!("listening on http://{address}"));
    ready(address);
    server.run(|| {
        printer.talk("shutting down; finishing active requests");
        if let Some(studio) = &studio {
            studio.close();
        }
    })?;
    Ok(ExitCode::Done)
}

/// The models that the command line names.
fn given(
    names: &[String],
    options: &ModelArgs,
    printer: &Printer,
) -> Result<Vec<ServedModel>, Failure> {
    let quantized = options.quantize == Some(Quantization::Q8_0);
    let models = text_models(options);
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    models.download(names.iter().map(|name| named(name).1), monitor)?;
    let mut served = Vec::with_capacity(names.len());
    for name in names {
        let (name, path) = named(name);
        let found = models.find(path, monitor)?;
        let mut facts = found.facts()?;
        if facts.is_merge {
            facts.created = modified(Path::new(path)).unwrap_or_default();
        }
        if quantized {
            facts = facts.in_q8_0();
        }
        printer.talk(&introduction(&name, &facts));
        served.push(served_model(&name, facts, models.clone(), found));
    }
    Ok(served)
}

/// Limits as the server wants them.
fn resolve(limits: LimitArgs) -> Result<Settings, Failure> {
    let LimitArgs {
        parallel,
        queue,
        context,
        memory_budget,
        cache_memory,
        max_body,
        timeout,
        grace,
    } = limits;
    let budget = memory_budget.map(|text| size("--memory-budget", &text));
    let body_bytes = size("--max-body", &max_body)?;
    let usual = Settings::default();
    Ok(Settings {
        engine: EngineSettings {
            parallel: parallel as usize,
            cache_bytes: size("--cache-memory", &cache_memory)?,
            ..EngineSettings::default()
        },
        queue: queue as usize,
        memory_budget: budget.transpose()?,
        context: context.map(|context| context as usize),
        body_bytes: body_bytes as usize,
        // the largest one must fit, as it comes and as it is read
        body_memory: usual.body_memory.max(body_bytes.saturating_mul(4)),
        timeout: Duration::from_secs(timeout.into()),
        grace: Duration::from_secs(grace.into()),
        ..usual
    })
}

/// An error of starting, with what to do about it.
fn explain(error: ServerError) -> Failure {
    match &error {
        ServerError::KeyNeeded { .. } => Failure::usage(error.to_string()).hint(
            "set the environment variable WEIGHTSMITH_API_KEY, or omit `--host` to listen only on this machine",
        ),
        ServerError::SameName { name } => Failure::usage(error.to_string())
            .hint(format!("rename one of them: `other-{name}=MODEL`")),
        ServerError::Bind { .. } => {
            Failure::new(error).hint("choose another port with `--port`; 0 uses any free port")
        }
        ServerError::Setting { .. } => Failure::usage(error.to_string()),
        _ => Failure::new(error),
    }
}

/// A model's name in requests, and where it is. A link is called by its own name: it may lead to another model tomorrow.
fn named(argument: &str) -> (String, &str) {
    if let Some((name, path)) = argument.split_once('=')
        && is_name(name)
        && !Path::new(argument).exists()
    {
        return (name.to_owned(), path);
    }
    let path = Path::new(argument);
    // `.` and `..` have no name of their own
    let own = match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    };
    let last = if is_recipe(argument) || path.is_file() {
        own.file_stem()
    } else if path.is_dir() {
        own.file_name()
    } else {
        None
    };
    let name = last.map(|name| name.to_string_lossy().into_owned());
    (name.unwrap_or_else(|| argument.to_owned()), argument)
}

/// Whether a text may be a model's name: one like those on the Hub, `me/My-Merge`, and no path or address.
fn is_name(text: &str) -> bool {
    let parts = text.split('/');
    let are_names = |part: &str| !part.is_empty() && !part.starts_with(['.', '~']);
    !text.contains(['\\', ':']) && parts.into_iter().all(are_names)
}

fn introduction(name: &str, facts: &ModelFacts) -> String {
    let kind = if facts.is_merge {
        ", merged on first use"
    } else {
        ""
    };
    format!(
        "{name}: {} of {}, {}, {}{kind}",
        counted_parameters(facts.parameters),
        facts.weights_type,
        bytes(facts.bytes),
        counted(facts.context_trained, "position"),
    )
}

fn counted_parameters(count: u64) -> String {
    format!("{} parameters", parameters(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_called_by_their_folder_recipe_or_given_name() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tiny-qwen2");
        let base = format!("{fixtures}/base");
        assert_eq!(named(&base), ("base".to_owned(), base.as_str()));
        let other = format!("x={base}");
        assert_eq!(named(&other), ("x".to_owned(), base.as_str()));
        let below = format!("{base}/../instruct/.");
        assert_eq!(named(&below).0, "instruct");
        assert_eq!(named("a/01-slerp-v.yml").0, "01-slerp-v");
        assert_eq!(named("Qwen/Qwen2.5-0.5B").0, "Qwen/Qwen2.5-0.5B");
    }

    #[test]
    fn a_given_name_may_be_like_those_of_the_hub() {
        for (argument, name, path) in [
            ("me/My-Merge-7B=./merged", "me/My-Merge-7B", "./merged"),
            ("a/b/c=x=y", "a/b/c", "x=y"),
            ("chat=s3://bucket/merged", "chat", "s3://bucket/merged"),
        ] {
            assert_eq!(named(argument), (name.to_owned(), path));
        }
        for path in [
            "./a=b",
            "/a=b",
            "../a=b",
            "~/a=b",
            "a//b=c",
            "a/=c",
            "=c",
            "s3://bucket/a=b",
            "C:\\a=b",
        ] {
            assert_eq!(named(path), (path.to_owned(), path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_called_by_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("merge-7");
        fs_err::create_dir(&target).unwrap();
        fs_err::write(folder.path().join("first.yml"), "").unwrap();
        for (link, target, expected) in [
            ("current", "merge-7", "current"),
            ("latest.yml", "first.yml", "latest"),
        ] {
            let link = folder.path().join(link);
            std::os::unix::fs::symlink(folder.path().join(target), &link).unwrap();
            assert_eq!(named(&link.to_string_lossy()).0, expected);
        }
        let slash = format!("{}/", folder.path().join("current").display());
        assert_eq!(named(&slash).0, "current");
        let above = format!("{}/current/..", folder.path().display());
        let expected = folder.path().file_name().unwrap().to_string_lossy();
        assert_eq!(named(&above).0, expected);
    }
}

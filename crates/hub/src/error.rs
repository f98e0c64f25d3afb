//! What can go wrong between here and the hub.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::TokenUse;

/// An error of this crate; [`HubError::hints`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The hub must not be asked.
    #[error("`{model}` is not on this machine, and `HF_HUB_OFFLINE` is set")]
    Offline {
        /// The model.
        model: String,
    },

    /// The text is no name of a model.
    #[error(
        "`{text}` is not a model name, expected `organization/name` or `organization/name@revision`"
    )]
    NotAName {
        /// The text.
        text: String,
    },

    /// `HF_ENDPOINT` is no address.
    #[error("`HF_ENDPOINT` is `{value}`, expected an address such as `https://huggingface.co`")]
    Endpoint {
        /// Its value.
        value: String,
    },

    /// A variable of the environment has a value that it cannot have.
    #[error("`{name}` is `{value}`, expected {expected}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it can be.
        expected: &'static str,
    },

    /// A token that cannot be one. Its text is not kept.
    #[error("the token in {from} is malformed: {problem}")]
    TokenText {
        /// The variable or the file.
        from: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A gated model, and nobody is logged in.
    #[error("`{model}` is gated, and there is no token")]
    GatedNoToken {
        /// The model.
        model: String,
        /// Where its licence can be accepted.
        page: String,
        /// Why no token was sent.
        token: TokenUse,
    },

    /// A gated model whose licence the account has not accepted.
    #[error("`{model}` is gated, and this account has no access to it yet")]
    GatedNotAccepted {
        /// The model.
        model: String,
        /// Where its licence can be accepted.
        page: String,
    },

    /// The hub does not know the token.
    #[error("the Hub at {endpoint} does not accept the token")]
    BadToken {
        /// The hub.
        endpoint: String,
    },

    /// No such model, or a private one; the hub does not say which.
    #[error("there is no model `{model}` at {endpoint}, or it is private")]
    NoModel {
        /// The model.
        model: String,
        /// The hub.
        endpoint: String,
        /// Whether a token was sent.
        token: TokenUse,
    },

    /// The account must not do that.
    #[error("{action}: denied by the Hub: {message}")]
    Forbidden {
        /// What was to be done.
        action: String,
        /// The hub's words.
        message: String,
        /// Whether a token was sent.
        token: TokenUse,
    },

    /// The model has no such branch, tag or commit.
    #[error("`{model}` has no revision `{revision}`")]
    NoRevision {
        /// The model.
        model: String,
        /// The revision.
        revision: String,
    },

    /// The model has no such file.
    #[error("`{model}` has no file `{file}` at {revision}")]
    NoFile {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// The revision or commit.
        revision: String,
    },

    /// The model has no weights that can be read.
    #[error("`{model}` has no safetensors weights{}", listed(found))]
    NoWeights {
        /// The model.
        model: String,
        /// Its weights of other kinds.
        found: Vec<String>,
    },

    /// The hub asks to wait for longer than anybody would.
    #[error("the Hub asks to wait {} seconds before the next request to {url}", wait.as_secs())]
    RateLimited {
        /// What was asked for.
        url: String,
        /// How long to wait.
        wait: Duration,
    },

    /// An answer that says that something went wrong, after all attempts.
    #[error("{url}: the Hub returned {status}{}", said(message))]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// The hub's words; may be empty.
        message: String,
    },

    /// Nobody is there.
    #[error("can't reach {host}: {problem}")]
    NoConnection {
        /// The hub, or where it keeps its files.
        host: String,
        /// What the network says.
        problem: String,
    },

    /// No answer, or one that broke off, after all attempts.
    #[error("{url}: {problem}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the network says.
        problem: String,
    },

    /// An answer that is not what the API promises.
    #[error("{url}: {problem}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        problem: String,
    },

    /// A file whose bytes are not those that the hub promised. They are not kept.
    #[error(
        "`{file}` of `{model}` has hash {found}, but the Hub announced {expected}; it was discarded"
    )]
    WrongHash {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// The hash of what came.
        found: String,
        /// The hash that was promised.
        expected: String,
    },

    /// Something in the cache that leads elsewhere, put there by somebody else.
    #[error("{}: a link created by another user in the cache; it is not followed", path.display())]
    ForeignLink {
        /// The link.
        path: PathBuf,
    },

    /// Not enough room.
    #[error("{} needs {needed} bytes, and {free} are free", folder.display())]
    NoSpace {
        /// The folder.
        folder: PathBuf,
        /// Bytes still to come.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },

    /// A folder without a model in it.
    #[error("{}: not a merged model: no `config.json` with `.safetensors` files", folder.display())]
    NothingToPush {
        /// The folder.
        folder: PathBuf,
    },

    /// The hub wants a way of uploading that is not spoken here.
    #[error(
        "the Hub requests `{transfer}` uploads, which are not supported; expected `basic` or `multipart`"
    )]
    Transfer {
        /// Its name.
        transfer: String,
    },

    /// Somebody asked to stop.
    #[error("stopped; the same call resumes from here")]
    Stopped,

    /// The headers of remote weights are not sound.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),

    /// A file or folder here. The message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl HubError {
    /// What to do about it, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        let hint = |text: &str| vec![text.to_owned()];
        match self {
            Self::Offline { .. } => hint("unset `HF_HUB_OFFLINE` to download it"),
            Self::TokenText { .. } => {
                hint("a token is one line such as `hf_abc…`; run `hf auth login` to create it")
            }
            Self::GatedNoToken { page, token, .. } => vec![
                format!("open {page}, log in and accept the license"),
                to_send_one(*token),
            ],
            Self::GatedNotAccepted { page, .. } => vec![
                format!("open {page} with the token's account and accept the license"),
                "a fine-grained token also needs read access to gated repositories".to_owned(),
            ],
            Self::BadToken { .. } => hint(
                "it may have been revoked: set `HF_TOKEN` to a valid one, or run `hf auth login` again",
            ),
            Self::NoModel {
                token: TokenUse::Sent,
                ..
            } => hint("check the spelling and case, and that the token's account has access"),
            Self::NoModel { token, .. } => vec![
                "check the spelling and case".to_owned(),
                format!("if it is private: {}", to_send_one(*token)),
            ],
            Self::Forbidden {
                token: TokenUse::Sent,
                ..
            } => hint("the token needs write access to that account or organization"),
            Self::Forbidden { token, .. } => vec![to_send_one(*token)],
            Self::NoRevision { .. } => {
                hint("a revision is a branch, a tag, a commit or `refs/pr/N`")
            }
            Self::NoWeights { found, .. } if !found.is_empty() => {
                hint("only safetensors weights are read; convert them first")
            }
            Self::NoConnection { .. } => vec![
                "are you online?".to_owned(),
                "use `HF_ENDPOINT` to set another hub and `HTTPS_PROXY` to set a proxy".to_owned(),
            ],
            Self::RateLimited { .. } => {
                hint("run the same command again later; a token raises the rate limit")
            }
            Self::Status { .. } | Self::Unreachable { .. } => vec![
                "run the same command again to resume".to_owned(),
                "use `HF_ENDPOINT` to set another hub and `HTTPS_PROXY` to set a proxy".to_owned(),
            ],
            Self::ForeignLink { path } => vec![format!(
                "if its target is correct, take ownership with `chown -h $(id -u) {}`, or set another cache with `HF_HUB_CACHE`",
                path.display()
            )],
            Self::WrongHash { .. } => hint(
                "run the same command again; if it fails again, something on the network modifies the data",
            ),
            Self::NoSpace { .. } => hint(
                "set `HF_HOME` or `HF_HUB_CACHE` to a folder on another disk, or use `merge --stream`, which stores no weights",
            ),
            Self::Io(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull
                        | io::ErrorKind::QuotaExceeded
                        | io::ErrorKind::FileTooLarge
                ) =>
            {
                hint(
                    "free some space and run the same command again to resume, or set `HF_HOME` or `HF_HUB_CACHE` to a folder on another disk",
                )
            }
            Self::NothingToPush { .. } => hint("use a folder that `weightsmith merge` wrote"),
            Self::NotAName { .. }
            | Self::Endpoint { .. }
            | Self::Variable { .. }
            | Self::NoFile { .. }
            | Self::NoWeights { .. }
            | Self::Answer { .. }
            | Self::Transfer { .. }
            | Self::Stopped
            | Self::Tensors(_)
            | Self::Io(_) => Vec::new(),
        }
    }
}

/// How a token comes to be sent.
fn to_send_one(token: TokenUse) -> String {
    match token {
        TokenUse::Withheld => {
            "`HF_HUB_DISABLE_IMPLICIT_TOKEN` is set and disables the token: unset it".to_owned()
        }
        _ => "set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`"
            .to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; found `{}`", names.join("`, `"))
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

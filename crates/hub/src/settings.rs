//! Which hub, as whom, and how patiently.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::HubError;
use crate::token::{self, Token};

/// The hub that is meant where nothing else is said.
const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
/// How long nothing, or next to nothing, may come.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest origin that is told to the hub.
const LONGEST_ORIGIN: usize = 200;

/// What a [`Hub`](crate::Hub) is made from.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// The hub's address without a slash at the end.
    pub endpoint: String,
    /// Who asks; nobody in particular without it.
    pub token: Option<Token>,
    /// Whether a token is left out because `HF_HUB_DISABLE_IMPLICIT_TOKEN` says so; for the hints of errors.
    pub token_withheld: bool,
    /// Whether the hub must not be asked.
    pub offline: bool,
    /// The Hugging Face cache: the folder that holds `models--org--name`.
    pub cache: PathBuf,
    /// Whether the cache's snapshots are links to its blobs; else they are copies.
    pub links: bool,
    /// Connections that download at the same time.
    pub connections: usize,
    /// How often a request is made before it counts as failed.
    pub attempts: u32,
    /// The first wait between two attempts; each further one is twice as long.
    pub first_wait: Duration,
    /// How long nothing, or next to nothing, may come of a file.
    pub download_patience: Duration,
    /// The same for all other answers.
    pub answer_patience: Duration,
    /// Who started this program, for the hub's statistics.
    pub origin: Option<String>,
}

impl HubSettings {
    /// Settings for a hub at an address, asked by nobody in particular.
    pub fn new(endpoint: impl Into<String>, cache: PathBuf) -> Self {
        Self {
            endpoint: endpoint.into(),
            token: None,
            token_withheld: false,
            offline: false,
            cache,
            links: true,
            connections: 8,
            attempts: 5,
            first_wait: Duration::from_millis(500),
            download_patience: PATIENCE,
            answer_patience: PATIENCE,
            origin: None,
        }
    }

    /// Settings from environment variables with huggingface_hub's names and meanings; docs/hub.md has the list. `token_file` is where
    /// `hf auth login` leaves its token. Proxies are read by the client itself.
    ///
    /// # Errors
    /// When a variable has a value that it cannot have, or the cached login cannot be read.
    pub fn from_env(
        get: impl Fn(&str) -> Option<OsString>,
        cache: PathBuf,
        token_file: &Path,
        offline: bool,
    ) -> Result<Self, HubError> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| get(name).map(|value| value.to_string_lossy().trim().to_owned());
        let is_on = |name: &str| text(name).is_some_and(|value| is_true(&value));
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        if !is_address(&endpoint) {
            return Err(HubError::Endpoint { value: endpoint });
        }
        let token_withheld = is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN");
        let token = if token_withheld {
            None
        } else {
            token::find(&get, token_file)?
        };
        Ok(Self {
            token,
            token_withheld,
            offline,
            links: !is_on("HF_HUB_DISABLE_SYMLINKS"),
            download_patience: seconds("HF_HUB_DOWNLOAD_TIMEOUT", text)?,
            answer_patience: seconds("HF_HUB_ETAG_TIMEOUT", text)?,
            origin: text("HF_HUB_USER_AGENT_ORIGIN").filter(|origin| is_origin(origin)),
            ..Self::new(endpoint, cache)
        })
    }
}

/// Whether a value switches something on, as huggingface_hub reads it.
fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_uppercase().as_str(),
        "1" | "ON" | "YES" | "TRUE"
    )
}

fn is_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_letter = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_letter)
    })
}

/// What can be a part of `User-Agent`.
fn is_origin(text: &str) -> bool {
    text.len() <= LONGEST_ORIGIN && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A time in whole seconds; 0 stands for the default, as in huggingface_hub.
fn seconds(
    name: &'static str,
    text: impl Fn(&str) -> Option<String>,
) -> Result<Duration, HubError> {
    let Some(value) = text(name) else {
        return Ok(PATIENCE);
    };
    match value.parse::<u32>() {
        Ok(0) => Ok(PATIENCE),
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => Err(HubError::Variable {
            name,
            value,
            expected: "a number of seconds",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        with_token_file(variables, Path::new("/nowhere/token"))
    }

    fn with_token_file(
        variables: &[(&str, &str)],
        token_file: &Path,
    ) -> Result<HubSettings, HubError> {
        let get = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        HubSettings::from_env(get, PathBuf::from("/cache"), token_file, false)
    }

    #[test]
    fn the_token_is_the_variables_else_the_cached_logins() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("token");
        fs_err::write(&file, "hf_cached\n").unwrap();
        let token = |variables: &[(&str, &str)]| with_token_file(variables, &file).unwrap().token;
        let old = ("HUGGING_FACE_HUB_TOKEN", "hf_old");
        assert_eq!(
            token(&[("HF_TOKEN", " hf_variable "), old]),
            Some(Token::new("hf_variable"))
        );
        assert_eq!(token(&[("HF_TOKEN", ""), old]), Some(Token::new("hf_old")));
        assert_eq!(token(&[]), Some(Token::new("hf_cached")));
        assert_eq!(settings(&[]).unwrap().token, None);
        assert_eq!(format!("{:?}", Token::new("hf_secret")), "Token(…)");
    }

    #[test]
    fn no_token_is_taken_where_it_is_not_to_be_sent_unasked() {
        for on in ["1", "true", "On", "YES"] {
            let variables = [("HF_TOKEN", "hf_x"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", on)];
            let found = settings(&variables).unwrap();
            assert_eq!((found.token, found.token_withheld), (None, true), "{on}");
        }
        for off in ["0", "false", "no", "2"] {
            let variables = [("HF_TOKEN", "hf_x"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", off)];
            assert!(settings(&variables).unwrap().token.is_some(), "{off}");
        }
    }

    #[test]
    fn the_endpoint_is_an_address_without_a_slash() {
        assert_eq!(settings(&[]).unwrap().endpoint, "https://huggingface.co");
        let other = settings(&[("HF_ENDPOINT", "http://127.0.0.1:8000/")]).unwrap();
        assert_eq!(other.endpoint, "http://127.0.0.1:8000");
        for wrong in [
            "hub.local",
            "https://",
            "https:///x",
            "https://a b",
            "https://a/?b",
            "ftp://a",
        ] {
            assert!(
                matches!(
                    settings(&[("HF_ENDPOINT", wrong)]),
                    Err(HubError::Endpoint { .. })
                ),
                "{wrong}"
            );
        }
    }

    #[test]
    fn times_are_whole_seconds() {
        let found = settings(&[
            ("HF_HUB_DOWNLOAD_TIMEOUT", "7"),
            ("HF_HUB_ETAG_TIMEOUT", "0"),
        ]);
        let found = found.unwrap();
        assert_eq!(found.download_patience, Duration::from_secs(7));
        assert_eq!(found.answer_patience, PATIENCE);
        let error = settings(&[("HF_HUB_ETAG_TIMEOUT", "soon")]).unwrap_err();
        insta::assert_snapshot!(error, @"`HF_HUB_ETAG_TIMEOUT` is `soon`, expected a number of seconds");
    }

    #[test]
    fn an_origin_cannot_add_a_header() {
        let origin = |text| {
            settings(&[("HF_HUB_USER_AGENT_ORIGIN", text)])
                .unwrap()
                .origin
        };
        assert_eq!(origin("my-notebook").as_deref(), Some("my-notebook"));
        assert_eq!(origin("a\r\nx-evil: 1"), None);
    }
}

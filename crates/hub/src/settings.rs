//! Which hub, as whom, and how patiently.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::HubError;

/// The hub that is meant where nothing else is said.
const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// What a [`Hub`](crate::Hub) is made from.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// The hub's address without a slash at the end.
    pub endpoint: String,
    /// Who asks; nobody in particular without it.
    pub token: Option<Token>,
    /// Whether the hub must not be asked.
    pub offline: bool,
    /// The Hugging Face cache: the folder that holds `models--org--name`.
    pub cache: PathBuf,
    /// Connections that download at the same time.
    pub connections: usize,
    /// How often a request is made before it counts as failed.
    pub attempts: u32,
    /// The first wait between two attempts; each further one is twice as long.
    pub first_wait: Duration,
}

impl HubSettings {
    /// Settings from environment variables with huggingface_hub's names: `HF_ENDPOINT`, `HF_TOKEN`, else the cached
    /// login in `HF_TOKEN_PATH` or the `token` file of `HF_HOME`. Proxies are read by the client itself.
    ///
    /// # Errors
    /// When `HF_ENDPOINT` is no address, or the cached login cannot be read.
    pub fn from_env(
        get: impl Fn(&str) -> Option<OsString>,
        cache: PathBuf,
        offline: bool,
    ) -> Result<Self, HubError> {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().trim().to_owned());
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(HubError::Endpoint { value: endpoint });
        }
        let token = match text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN")) {
            Some(token) => Some(token),
            None => cached_login(&set)?,
        };
        Ok(Self {
            endpoint,
            token: token.filter(|token| !token.is_empty()).map(Token),
            offline,
            cache,
            connections: 8,
            attempts: 5,
            first_wait: Duration::from_millis(500),
        })
    }
}

/// The token that `hf auth login` left.
fn cached_login(set: &impl Fn(&str) -> Option<OsString>) -> Result<Option<String>, HubError> {
    let folder = || {
        set("HF_HOME").map(PathBuf::from).or_else(|| {
            set("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))
                .map(|cache| cache.join("huggingface"))
        })
    };
    let path = set("HF_TOKEN_PATH")
        .map(PathBuf::from)
        .or_else(|| Some(folder()?.join("token")));
    match path.filter(|path| path.is_file()) {
        Some(path) => Ok(Some(fs_err::read_to_string(path)?.trim().to_owned())),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        let get = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        HubSettings::from_env(get, PathBuf::from("/cache"), false)
    }

    #[test]
    fn the_token_is_the_variables_else_the_cached_logins() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".cache/huggingface");
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join("token"), "hf_cached\n").unwrap();
        let home = ("HOME", home.path().to_str().unwrap());
        let found = settings(&[home, ("HF_TOKEN", " hf_variable ")]).unwrap();
        assert_eq!(found.token, Some(Token::new("hf_variable")));
        assert_eq!(
            settings(&[home]).unwrap().token,
            Some(Token::new("hf_cached"))
        );
        assert_eq!(settings(&[]).unwrap().token, None);
        assert_eq!(format!("{:?}", Token::new("hf_secret")), "Token(…)");
    }

    #[test]
    fn the_endpoint_is_an_address_without_a_slash() {
        assert_eq!(settings(&[]).unwrap().endpoint, "https://huggingface.co");
        let other = settings(&[("HF_ENDPOINT", "http://127.0.0.1:8000/")]).unwrap();
        assert_eq!(other.endpoint, "http://127.0.0.1:8000");
        assert!(matches!(
            settings(&[("HF_ENDPOINT", "hub.local")]),
            Err(HubError::Endpoint { .. })
        ));
    }
}

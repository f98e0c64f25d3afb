//! The environment variables by which huggingface_hub finds its folders.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::locate::expand_home;

/// Variables, with `~` and variables in their values replaced as huggingface_hub does it.
pub(super) struct HubEnvironment<G> {
    get: G,
    /// The user's folder.
    pub(super) home: Option<PathBuf>,
}

impl<G: Fn(&str) -> Option<OsString>> HubEnvironment<G> {
    pub(super) fn new(get: G) -> Self {
        let mut variables = Self { get, home: None };
        variables.home = variables
            .set("HOME")
            .or_else(|| variables.set("USERPROFILE"))
            .map(PathBuf::from);
        variables
    }

    /// A variable that is not empty.
    pub(super) fn set(&self, name: &str) -> Option<OsString> {
        (self.get)(name).filter(|value| !value.is_empty())
    }

    /// A variable that is a path.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        let value = expand_variables(self.set(name)?, &|name| self.set(name));
        Some(expand_home(Path::new(&value), self.home.as_deref()))
    }

    /// The folder of huggingface_hub where `HF_HOME` does not name it.
    pub(super) fn usual_home(&self) -> PathBuf {
        self.path("XDG_CACHE_HOME")
            .unwrap_or_else(|| self.home.clone().unwrap_or_default().join(".cache"))
            .join("huggingface")
    }
}

/// The file in which `hf auth login` leaves its token: `HF_TOKEN_PATH`, else `token` in `HF_HOME`, else in `huggingface` of
/// `XDG_CACHE_HOME`, else of `~/.cache`. `~` and variables in these are replaced, as huggingface_hub does it.
pub fn hub_token_file(get: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let variables = HubEnvironment::new(get);
    variables.path("HF_TOKEN_PATH").unwrap_or_else(|| {
        variables
            .path("HF_HOME")
            .unwrap_or_else(|| variables.usual_home())
            .join("token")
    })
}

/// `$NAME` and `${NAME}` replaced by what is set, as Python's `os.path.expandvars` does.
fn expand_variables(value: OsString, get: &impl Fn(&str) -> Option<OsString>) -> OsString {
    let Some(mut rest) = value.to_str().filter(|text| text.contains('$')) else {
        return value;
    };
    let mut expanded = OsString::new();
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push(before);
        let (name, behind) = match after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'))
        {
            Some(braced) => braced,
            None => after.split_at(
                after
                    .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
                    .unwrap_or(after.len()),
            ),
        };
        match get(name) {
            Some(found) if !name.is_empty() => expanded.push(found),
            _ => {
                let raw = rest.len() - before.len() - behind.len();
                expanded.push(&rest[before.len()..before.len() + raw]);
            }
        }
        rest = behind;
    }
    expanded.push(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_lies_where_huggingface_hub_leaves_it() {
        let home = ("HOME", "/home/me");
        for (variables, expected) in [
            (vec![home], "/home/me/.cache/huggingface/token"),
            (vec![home, ("XDG_CACHE_HOME", "/x")], "/x/huggingface/token"),
            (vec![home, ("HF_HOME", "~/hf")], "/home/me/hf/token"),
            (
                vec![home, ("HF_HOME", "/hf"), ("HF_TOKEN_PATH", "$HOME/t")],
                "/home/me/t",
            ),
            (
                vec![home, ("HF_TOKEN_PATH", "")],
                "/home/me/.cache/huggingface/token",
            ),
        ] {
            let get = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(hub_token_file(get), Path::new(expected), "{variables:?}");
        }
    }
}

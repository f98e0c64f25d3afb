//! Where huggingface_hub keeps the login.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::locate::{expand_home, expand_variables};

/// The file in which `hf auth login` leaves its token: `HF_TOKEN_PATH`, else `token` in `HF_HOME`, else in `huggingface` of
/// `XDG_CACHE_HOME`, else of `~/.cache`. `~` and variables in these are replaced, as huggingface_hub does it.
pub fn hub_token_file(get: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let set = |name: &str| get(name).filter(|value| !value.is_empty());
    let home = set("HOME")
        .or_else(|| set("USERPROFILE"))
        .map(PathBuf::from);
    let path = |name: &str| {
        let value = expand_variables(set(name)?, &set);
        Some(expand_home(Path::new(&value), home.as_deref()))
    };
    path("HF_TOKEN_PATH").unwrap_or_else(|| {
        path("HF_HOME")
            .unwrap_or_else(|| {
                path("XDG_CACHE_HOME")
                    .unwrap_or_else(|| home.clone().unwrap_or_default().join(".cache"))
                    .join("huggingface")
            })
            .join("token")
    })
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

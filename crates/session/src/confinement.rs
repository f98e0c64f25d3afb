//! Recipes that others may write: they may name models that are known, and no other folders.

use std::path::{Component, Path, PathBuf};

use weightsmith::model::{LocateOptions, hub_name, is_in_store};
use weightsmith::recipe::ModelReference;

/// The folders whose models may be named by their paths.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    /// Models, and folders of models.
    pub roots: Vec<PathBuf>,
}

impl Confinement {
    /// What of a reference leads out of the folders, or into them by a detour.
    pub(crate) fn outside<'r>(
        &self,
        locate: &LocateOptions,
        reference: &'r ModelReference,
    ) -> Option<&'r str> {
        let lora = reference.lora.as_ref();
        let mut texts = [Some(&reference.path), lora.map(|lora| &lora.path)]
            .into_iter()
            .flatten();
        let culprit = texts.find(|text| self.is_outside(locate, text))?;
        Some(culprit)
    }

    /// Whether a text leads out of the folders, or into them by a detour. Models of the Hub and of stores do not.
    pub(crate) fn is_outside(&self, locate: &LocateOptions, text: &str) -> bool {
        !locate.named.contains_key(text)
            && !is_in_store(text)
            && hub_name(text).is_none()
            && (looks_local(text) || locate.exists(text))
            && !self.is_inside(&full(locate, text))
    }

    /// Whether a path lies in one of the folders, links followed. Of a path that does not exist, its nearest folder counts.
    fn is_inside(&self, path: &Path) -> bool {
        let Some(real) = nearest(path) else {
            return false;
        };
        let mut roots = self.roots.iter();
        roots.any(|root| root.canonicalize().is_ok_and(|root| real.starts_with(root)))
    }
}

fn nearest(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    // where a part is missing nobody knows what `..` leads to
    if path.components().any(|part| part == Component::ParentDir) {
        return None;
    }
    path.ancestors()
        .skip(1)
        .find_map(|one| one.canonicalize().ok())
}

/// Whether a text can be nothing but a path.
fn looks_local(text: &str) -> bool {
    let path = Path::new(text);
    path.is_absolute()
        || text.starts_with(['.', '~'])
        || text.contains('\\')
        || path.components().any(|part| part == Component::ParentDir)
}

fn full(locate: &LocateOptions, text: &str) -> PathBuf {
    let path = match (text.strip_prefix('~'), &locate.home) {
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    };
    let path = locate.current_dir.join(path);
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_look_like_paths_and_names_do_not() {
        for path in ["/etc", "./a", "../a", "~/a", "a/../b", "a\\b", "."] {
            assert!(looks_local(path), "{path}");
        }
        for name in [
            "base",
            "Qwen/Qwen2.5-0.5B",
            "a/b@v1",
            "weightsmith-slerp-abcdefg",
        ] {
            assert!(!looks_local(name), "{name}");
        }
    }

    #[test]
    fn what_is_not_there_counts_as_its_nearest_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        assert_eq!(nearest(&root.join("a/b")), Some(root.clone()));
        assert_eq!(nearest(&root.join("a/../../b")), None);
        fs_err::create_dir(root.join("a")).unwrap();
        assert_eq!(nearest(&root.join("a/..")), Some(root));
    }

    #[test]
    fn addresses_are_not_outside_and_do_not_hide_a_detour() {
        let folder = tempfile::tempdir().unwrap();
        let confinement = Confinement {
            roots: vec![folder.path().to_owned()],
        };
        let locate = LocateOptions::from_env(|_| None);
        for inside in ["s3://bucket/a", "hf://org/name", "org/name"] {
            assert!(!confinement.is_outside(&locate, inside), "{inside}");
        }
        for outside in ["/etc", "../a", "s3:/../etc", "./s3://a"] {
            assert!(confinement.is_outside(&locate, outside), "{outside}");
        }
    }
}

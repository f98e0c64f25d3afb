//! Recipes come from a page: they may name the studio's models and no other folders.

use std::path::{Component, Path, PathBuf};

use weightsmith::model::LocateOptions;
use weightsmith::recipe::ModelReference;
use weightsmith::{Diagnostic, Spanned};

use crate::models::Catalogue;

/// What is wrong with a reference that leads out of the studio's folders, or into them by a detour.
pub(super) fn outside(
    catalogue: &Catalogue,
    locate: &LocateOptions,
    reference: &Spanned<ModelReference>,
) -> Option<Diagnostic> {
    let lora = reference.value.lora.as_ref();
    let texts = [Some(&reference.value.path), lora.map(|lora| &lora.path)];
    let culprit = texts.into_iter().flatten().find(|text| {
        !locate.named.contains_key(*text)
            && (looks_local(text) || locate.exists(text))
            && !is_inside(catalogue, &full(locate, text))
    })?;
    Some(
        Diagnostic::error(
            format!("`{culprit}` is outside the studio's folders"),
            reference.span,
        )
        .hint("use a model from the list, or start the studio with `--folder` and its folder"),
    )
}

/// Whether a path lies in one of the studio's folders, links followed. Of a path that does not exist, its nearest folder counts.
fn is_inside(catalogue: &Catalogue, path: &Path) -> bool {
    let Some(real) = nearest(path) else {
        return false;
    };
    let mut roots = catalogue.roots().into_iter();
    roots.any(|root| root.canonicalize().is_ok_and(|root| real.starts_with(root)))
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
}

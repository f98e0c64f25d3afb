//! Where a result goes, and whether anything that is read lies there.

use std::path::{Component, Path, PathBuf};

use super::error::RunError;
use crate::plan::Model;

/// An output path from the root, without links, `.` and `..`, as far as it exists.
///
/// # Errors
/// When a link on the way leads nowhere, or a folder on the way cannot be looked into.
pub(super) fn resolve(out: &Path) -> Result<PathBuf, RunError> {
    if out.as_os_str().is_empty() {
        return Err(RunError::NoOutput);
    }
    let mut resolved = PathBuf::new();
    for component in std::path::absolute(out)?.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Prefix(_) | Component::RootDir => resolved.push(component),
            Component::Normal(name) => {
                resolved.push(name);
                match fs_err::symlink_metadata(&resolved) {
                    Ok(metadata) if metadata.is_symlink() => {
                        resolved = resolved
                            .canonicalize()
                            .map_err(|_| RunError::BrokenLink { path: resolved })?;
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(resolved)
}

/// Refuses an output that would replace a model that is being read, or that lies inside of one.
pub(super) fn refuse_inputs(out: &Path, models: &[Model]) -> Result<(), RunError> {
    for model in models {
        for read in model.source.local_paths() {
            let overlaps = |path: &Path| out.starts_with(path) || path.starts_with(out);
            let real = fs_err::canonicalize(&read)?;
            if let Some(input) = [real, unlinked(&read)?].into_iter().find(|at| overlaps(at)) {
                return Err(RunError::OutputIsInput {
                    path: out.to_owned(),
                    input,
                });
            }
        }
    }
    Ok(())
}

/// The path of a file itself where it is a link, from the root; of a folder, where its links lead.
fn unlinked(path: &Path) -> std::io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !path.is_dir() => {
            let here = Path::new(".");
            let parent = if parent == Path::new("") {
                here
            } else {
                parent
            };
            Ok(fs_err::canonicalize(parent)?.join(name))
        }
        _ => fs_err::canonicalize(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_a_slash_at_the_end_make_no_other_folder() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs_err::create_dir(root.join("a")).unwrap();
        for path in [
            "out",
            "out/",
            "./out",
            "a/../out",
            "missing/../out",
            "out/.",
        ] {
            assert_eq!(
                resolve(&root.join(path)).unwrap(),
                root.join("out"),
                "{path}"
            );
        }
        assert!(matches!(resolve(Path::new("")), Err(RunError::NoOutput)));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_broken_ones_are_an_error() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs_err::create_dir_all(root.join("disk/models")).unwrap();
        symlink("disk", root.join("link")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        assert_eq!(
            resolve(&root.join("link/models/out")).unwrap(),
            root.join("disk/models/out")
        );
        assert_eq!(resolve(&root.join("link/..")).unwrap(), root);
        assert!(matches!(
            resolve(&root.join("broken")),
            Err(RunError::BrokenLink { .. })
        ));
    }
}

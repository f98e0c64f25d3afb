//! Links in a model's folder: which of them lead to files of the model.

use std::io;
use std::path::{Path, PathBuf};

/// Where a file leads that is no file of the model: out of its folder, and not to a blob of the Hugging Face cache, whose snapshots consist
/// of links. `None` for files of the model.
///
/// A folder that came from somebody else can hold a link to anything that its user may read.
///
/// # Errors
/// When one of them is not there.
pub fn foreign_target(folder: &Path, file: &Path) -> io::Result<Option<PathBuf>> {
    let target = fs_err::canonicalize(file)?;
    let folder = fs_err::canonicalize(folder)?;
    let is_own = target.starts_with(folder) || is_blob(&target);
    Ok((!is_own).then_some(target))
}

/// `models--org--name/blobs/<hash>`, as huggingface_hub lays a cache out.
fn is_blob(target: &Path) -> bool {
    let mut names = target.iter().rev().filter_map(|name| name.to_str());
    let (Some(hash), Some(blobs), Some(model)) = (names.next(), names.next(), names.next()) else {
        return false;
    };
    let is_hash =
        matches!(hash.len(), 40 | 64) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash && blobs == "blobs" && model.starts_with("models--")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_in_the_folder_and_blobs_of_the_cache_are_the_models() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let blob = format!("hub/models--o--n/blobs/{hash}");
        let files = [
            "m/config.json",
            &blob,
            "hub/models--o--n/blobs/token",
            "blobs/x",
            "token",
        ];
        for name in files {
            fs_err::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs_err::write(at(name), "").unwrap();
        }
        for (number, (target, is_own)) in files
            .into_iter()
            .zip([true, true, false, false, false])
            .enumerate()
        {
            let link = at(&format!("m/link-{number}"));
            symlink(at(target), &link).unwrap();
            let found = foreign_target(&at("m"), &link).unwrap();
            assert_eq!(found.is_none(), is_own, "{target}");
        }
        // the folder itself may be behind a link
        symlink(at("m"), at("other")).unwrap();
        assert_eq!(
            foreign_target(&at("other"), &at("other/config.json")).unwrap(),
            None
        );
        assert!(foreign_target(&at("m"), &at("m/none")).is_err());
    }
}

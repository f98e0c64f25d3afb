//! What a card needs to know of the folders of the merged models.

use std::io;
use std::path::Path;

use weightsmith_tensors::read_companion;

/// The README of a model's folder; `None` when there is none.
///
/// # Errors
/// When it cannot be read.
pub fn parent_readme(folder: &Path) -> io::Result<Option<String>> {
    let text = existing(&folder.join(super::MODEL_CARD))?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

fn existing(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read_companion(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_is_read_whatever_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(parent_readme(folder.path()).unwrap(), None);
        fs_err::write(
            folder.path().join("README.md"),
            b"---\nlicense: mit\n---\n\xff",
        )
        .unwrap();
        assert!(
            parent_readme(folder.path())
                .unwrap()
                .unwrap()
                .starts_with("---\nlicense: mit\n")
        );
    }
}

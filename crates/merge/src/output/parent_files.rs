//! What a card needs to know of the folders of the merged models.

use std::io;

use weightsmith_tensors::ModelFiles;

/// The README of a model; `None` when there is none.
///
/// # Errors
/// When it cannot be read.
pub fn parent_readme(files: &(impl ModelFiles + ?Sized)) -> io::Result<Option<String>> {
    let text = files.file(super::MODEL_CARD)?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

#[cfg(test)]
mod tests {
    use weightsmith_tensors::ModelFolder;

    use super::*;

    #[test]
    fn a_readme_is_read_whatever_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let files = ModelFolder::new(folder.path());
        assert_eq!(parent_readme(&files).unwrap(), None);
        fs_err::write(
            folder.path().join("README.md"),
            b"---\nlicense: mit\n---\n\xff",
        )
        .unwrap();
        assert!(
            parent_readme(&files)
                .unwrap()
                .unwrap()
                .starts_with("---\nlicense: mit\n")
        );
    }
}

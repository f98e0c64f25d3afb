//! A recipe's text and where it is from.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use weightsmith::recipe::MAX_RECIPE_BYTES;

/// A recipe's text and what it is called in messages.
#[derive(Debug, Clone)]
pub struct RecipeText {
    /// The path as the user gave it, or `<stdin>`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The folder in which the recipe's relative paths are looked up too.
    pub folder: Option<PathBuf>,
}

/// A recipe that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeTextError {
    /// Nothing is there.
    #[error("there is no recipe at `{name}`")]
    NotFound {
        /// The path.
        name: String,
    },
    /// A folder is there.
    #[error("`{name}` is a folder, expected a recipe")]
    Folder {
        /// The path.
        name: String,
    },
    /// It cannot be read.
    #[error("cannot read the recipe `{name}`")]
    Io {
        /// The path.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is too long to be a recipe.
    #[error("the recipe `{name}` is larger than {MAX_RECIPE_BYTES} bytes")]
    TooLong {
        /// The path.
        name: String,
    },
    /// It is in UTF-16.
    #[error("the recipe `{name}` is encoded in UTF-16, expected UTF-8")]
    Utf16 {
        /// The path.
        name: String,
    },
    /// It is not UTF-8.
    #[error("the recipe `{name}` is not valid UTF-8 (line {line})")]
    NotUtf8 {
        /// The path.
        name: String,
        /// The first line with other bytes.
        line: usize,
    },
}

impl RecipeTextError {
    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NotFound { .. } | Self::Folder { .. } => {
                "RECIPE is the path of a YAML file, or `-` for standard input"
            }
            Self::TooLong { .. } => "RECIPE is a small YAML file that names the models",
            Self::Utf16 { .. } | Self::NotUtf8 { .. } => "save it as UTF-8",
            Self::Io { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl RecipeText {
    /// A text that was given, not read.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            folder: None,
        }
    }

    /// Reads a recipe's text, and no more of what is too long to be one; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be read, or can be no recipe.
    pub fn read(path: &Path) -> Result<Self, RecipeTextError> {
        let is_stdin = path == Path::new("-");
        let name = if is_stdin {
            "<stdin>".to_owned()
        } else {
            path.display().to_string()
        };
        let bytes = if is_stdin {
            start(io::stdin().lock())
        } else {
            fs_err::File::open(path).and_then(start)
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return Err(unreadable(name, error)),
        };
        if bytes.len() > MAX_RECIPE_BYTES {
            return Err(RecipeTextError::TooLong { name });
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(RecipeTextError::Utf16 { name });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self {
                name,
                text,
                folder: folder(path),
            }),
            Err(error) => {
                let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                    .split(|byte| *byte == b'\n')
                    .count();
                Err(RecipeTextError::NotUtf8 { name, line })
            }
        }
    }
}

fn folder(recipe: &Path) -> Option<PathBuf> {
    let folder = recipe.parent()?;
    (folder != Path::new("")).then(|| folder.to_owned())
}

/// The first bytes of a file, one more than a recipe may have.
fn start(file: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_RECIPE_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: String, error: io::Error) -> RecipeTextError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            RecipeTextError::NotFound { name }
        }
        io::ErrorKind::IsADirectory => RecipeTextError::Folder { name },
        _ => RecipeTextError::Io {
            name,
            source: error,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_looked_for_beside_the_recipe() {
        assert_eq!(folder(Path::new("a/b.yml")), Some(PathBuf::from("a")));
        assert_eq!(folder(Path::new("b.yml")), None);
        assert_eq!(folder(Path::new("-")), None);
    }
}

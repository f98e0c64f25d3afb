//! The files of a model besides its weights.

use std::fmt::Debug;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::companion::{Companion, CompanionError};
use crate::checkpoint::text_of;

/// The files of a model besides its weights, read by name: in a folder, or made from a plan.
///
/// Names have `/` between their parts, such as `additional_chat_templates/tools.jinja`.
pub trait ModelFiles: Send + Sync + Debug {
    /// Where a file of that name is, or would be. For messages.
    fn path_of(&self, name: &str) -> PathBuf;

    /// The bytes of a file; nothing where the model has none of that name. Larger files than any real one of that name
    /// are errors.
    ///
    /// # Errors
    /// [`UnreadableFile`](crate::UnreadableFile), or what the system says.
    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// As [`Self::file`], for a file that is text.
    ///
    /// # Errors
    /// As [`Self::file`], and when it is not UTF-8.
    fn file_text(&self, name: &str) -> io::Result<Option<String>> {
        self.file(name)?
            .map(|bytes| text_of(&self.path_of(name), bytes))
            .transpose()
    }

    /// The files that come along to what is made of the model, sorted by path.
    ///
    /// # Errors
    /// When they cannot be listed, or one is a link to nothing, or to a file that is not the model's.
    fn companions(&self) -> Result<Vec<Companion>, CompanionError>;

    /// Opens one of [`Self::companions`], however large it is.
    ///
    /// # Errors
    /// As [`Self::file`]; [`NotFound`](io::ErrorKind::NotFound) where there is none.
    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>>;
}

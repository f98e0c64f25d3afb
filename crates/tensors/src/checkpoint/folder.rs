//! A checkpoint on disk.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err::PathExt as _;

use super::contents::{Contents, RemoteFile};
use super::file_head::{parse_head, read_head};
use super::header::Header;
use super::index::Index;
use super::lost_pages::any_lost;
use super::mapping::Mapping;
use super::regular_file::open_regular;
use super::shard_file::{Identity, ShardFile, modified, naming};
use super::unfinished::refuse_unfinished;
use super::weight_files::{self, Weights};
use super::wrappers::{Unwrapped, unwrapped};
use crate::{Error, ModelFolder, TensorEntry, TensorInfo, TensorSource};

/// A model folder or a single safetensors file, opened from its headers: tensor data is mapped, and read when it is asked for.
///
/// In a folder `model.safetensors.index.json` (or the only index there is) says which files count and which of their
/// tensors; without an index it is `model.safetensors`, else all safetensors files that are neither adapters nor
/// `consolidated` copies.
///
/// # Examples
/// ```
/// use weightsmith_tensors::{Checkpoint, DType, TensorSource, widen_f32};
/// # let folder = tempfile::tempdir()?;
/// # let model = folder.path().join("model.safetensors");
/// # let header = br#"{"norm.weight":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#;
/// # let length = (header.len() as u64).to_le_bytes();
/// # fs_err::write(&model, [&length[..], &header[..], &[0x80, 0x3f, 0x00, 0xc0]].concat())?;
///
/// let checkpoint = Checkpoint::open(folder.path())?;
/// let tensor = checkpoint.find("norm.weight").expect("it is there");
/// assert_eq!(checkpoint.tensors()[tensor].info.dtype, DType::BF16);
///
/// let mut scratch = Vec::new();
/// let mut values = [0.0_f32; 2];
/// widen_f32(DType::BF16, checkpoint.read(tensor, 0..2, &mut scratch)?, &mut values)?;
/// assert_eq!(values, [1.0, -2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    /// The folder of its other files.
    pub(super) folder: ModelFolder,
    /// What it is a snapshot of, where somebody knows.
    pub(super) revision: Option<String>,
    files: Vec<ShardFile>,
    contents: Vec<Contents>,
    tensors: Vec<TensorEntry>,
    places: Vec<Place>,
    by_name: HashMap<String, usize>,
    unindexed: Vec<UnindexedTensor>,
    wrappers: Vec<&'static str>,
}

/// A tensor that a file has and the index does not list; it is no part of the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnindexedTensor {
    /// The tensor's name.
    pub name: String,
    /// Type and shape.
    pub info: TensorInfo,
    /// Its file, as an index of [`Checkpoint::files`].
    pub file: usize,
}

/// Where a tensor's bytes are.
#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    offset: u64,
}

impl Checkpoint {
    /// Opens a model folder, a safetensors file or an index file. Only headers are read.
    ///
    /// # Errors
    /// When something is missing, unreadable or not sound.
    pub fn open(path: &Path) -> Result<Self, Error> {
        refuse_unfinished(path)?;
        match weight_files::find(path)? {
            Weights::Indexed(index) => Self::open_indexed(path, &Index::read(&index)?),
            Weights::Files(files) => Self::open_files(path, &files),
        }
    }

    /// The same checkpoint, of which it is known that it is a snapshot of a revision: a commit of the Hub, or a version in a store.
    #[must_use]
    pub fn at_revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    fn empty(path: &Path, folder: &Path) -> Self {
        Self {
            path: path.to_owned(),
            folder: ModelFolder::new(folder),
            revision: None,
            files: Vec::new(),
            contents: Vec::new(),
            tensors: Vec::new(),
            places: Vec::new(),
            by_name: HashMap::new(),
            unindexed: Vec::new(),
            wrappers: Vec::new(),
        }
    }

    /// Takes out of the names what wrappers of the model put into them, unless two tensors would be called the same.
    fn unwrapped(mut self) -> Self {
        let names: Vec<&str> = self.tensors.iter().map(|one| one.name.as_str()).collect();
        let Some(Unwrapped { names, wrappers }) = unwrapped(&names) else {
            return self;
        };
        let by_name: HashMap<String, usize> = names.iter().cloned().zip(0..).collect();
        if by_name.len() == names.len() {
            for (tensor, name) in self.tensors.iter_mut().zip(names) {
                tensor.name = name;
            }
            self.by_name = by_name;
            self.wrappers = wrappers;
        }
        self
    }

    fn open_files(path: &Path, files: &[PathBuf]) -> Result<Self, Error> {
        let mut checkpoint = Self::empty(path, &folder_of(path));
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let header = checkpoint.add_file(file, name.into_owned())?;
            for tensor in header.tensors {
                checkpoint.add_tensor(tensor)?;
            }
        }
        Ok(checkpoint.unwrapped())
    }

    /// Opens a checkpoint whose weights lie elsewhere. `folder` need not hold them; the index, where there is one, is
    /// read from here, and `files` are those that it names.
    ///
    /// # Errors
    /// When something is missing or not sound.
    pub fn open_remote(
        folder: &Path,
        index: Option<&Path>,
        files: Vec<RemoteFile>,
    ) -> Result<Self, Error> {
        let mut checkpoint = Self::empty(folder, folder);
        let Some(index) = index else {
            for file in files {
                let header = checkpoint.add_remote(folder, file)?;
                for tensor in header.tensors {
                    checkpoint.add_tensor(tensor)?;
                }
            }
            return Ok(checkpoint.unwrapped());
        };
        let index = Index::read(index)?;
        let listed = index.files_of_tensors();
        for (number, name) in index.files.iter().enumerate() {
            let Some(file) = files.iter().find(|file| file.name == *name) else {
                return Err(Error::MissingShard {
                    path: folder.join(name),
                    wanted_by: index.path.clone(),
                });
            };
            let header = checkpoint.add_remote(folder, file.clone())?;
            checkpoint.add_listed(header, number, &listed)?;
        }
        checkpoint.ensure_complete(folder, &index)?;
        Ok(checkpoint.unwrapped())
    }

    fn open_indexed(path: &Path, index: &Index) -> Result<Self, Error> {
        let folder = index.path.parent().unwrap_or(Path::new("."));
        let listed = index.files_of_tensors();
        let mut checkpoint = Self::empty(path, folder);
        for (number, name) in index.files.iter().enumerate() {
            let file = folder.join(name);
            if !file.fs_err_try_exists()? {
                return Err(Error::MissingShard {
                    path: file,
                    wanted_by: index.path.clone(),
                });
            }
            let header = checkpoint.add_file(&file, name.clone())?;
            checkpoint.add_listed(header, number, &listed)?;
        }
        checkpoint.ensure_complete(folder, index)?;
        Ok(checkpoint.unwrapped())
    }

    /// Adds the tensors of the last file, the index's `number`th, that the index lists for it.
    fn add_listed(
        &mut self,
        header: Header,
        number: usize,
        listed: &HashMap<&str, usize>,
    ) -> Result<(), Error> {
        for tensor in header.tensors {
            if listed.get(tensor.name.as_str()) == Some(&number) {
                self.add_tensor(tensor)?;
            } else {
                self.unindexed.push(UnindexedTensor {
                    name: tensor.name,
                    info: tensor.info,
                    file: self.files.len() - 1,
                });
            }
        }
        Ok(())
    }

    /// Every tensor of the index must be there.
    fn ensure_complete(&self, folder: &Path, index: &Index) -> Result<(), Error> {
        let missing = index
            .weights
            .iter()
            .find(|(tensor, _)| !self.by_name.contains_key(tensor));
        match missing {
            Some((tensor, file)) => Err(Error::NotInShard {
                path: folder.join(&index.files[*file]),
                tensor: tensor.clone(),
                index: index.path.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Reads the header of a file that lies elsewhere; it is the last of `files` then.
    fn add_remote(&mut self, folder: &Path, file: RemoteFile) -> Result<Header, Error> {
        let path = folder.join(&file.name);
        let mut header = parse_head(&path, &file.head, file.size)?;
        self.files.push(ShardFile {
            path,
            name: file.name,
            size: file.size,
            modified: SystemTime::UNIX_EPOCH,
            is_remote: true,
            header_hash: header.hash.clone(),
            metadata: std::mem::take(&mut header.metadata),
            identity: None,
        });
        self.contents.push(Contents::Remote(file.source));
        Ok(header)
    }

    /// Maps a file and reads its header; the file is the last of `files` then.
    fn add_file(&mut self, path: &Path, name: String) -> Result<Header, Error> {
        let file = open_regular(path)?;
        let metadata = file.metadata()?;
        let head = read_head(path, &file, metadata.len())?;
        let mut header = parse_head(path, &head, metadata.len())?;
        drop(head);
        let mapping = Mapping::of(&file).map_err(|error| naming(path, &error))?;
        ensure_size(path, mapping.bytes().len() as u64, metadata.len())?;
        ensure_size(path, file.metadata()?.len(), metadata.len())?;
        self.files.push(ShardFile {
            path: path.to_owned(),
            name,
            size: metadata.len(),
            modified: modified(path, &metadata)?,
            is_remote: false,
            header_hash: std::mem::take(&mut header.hash),
            metadata: std::mem::take(&mut header.metadata),
            identity: Identity::of(&metadata),
        });
        self.contents.push(Contents::Mapped(mapping));
        Ok(header)
    }

    /// Adds a tensor of the last file.
    fn add_tensor(&mut self, tensor: super::HeaderTensor) -> Result<(), Error> {
        let file = self.files.len() - 1;
        if let Some(first) = self.by_name.insert(tensor.name.clone(), self.tensors.len()) {
            return Err(Error::DuplicateTensor {
                tensor: tensor.name,
                first: self.files[self.places[first].file].path.clone(),
                second: self.files[file].path.clone(),
            });
        }
        self.places.push(Place {
            file,
            offset: tensor.offset,
        });
        self.tensors.push(TensorEntry {
            name: tensor.name,
            info: tensor.info,
        });
        Ok(())
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its files, by name.
    pub fn files(&self) -> &[ShardFile] {
        &self.files
    }

    /// Tensors in the files that the index does not list.
    pub fn unindexed(&self) -> &[UnindexedTensor] {
        &self.unindexed
    }

    /// What wrappers of the model put into names, such as `_orig_mod`: the names of [`TensorSource::tensors`] are without it.
    pub fn wrappers(&self) -> &[&'static str] {
        &self.wrappers
    }

    /// The file of a tensor, as an index of [`Self::files`].
    pub fn file_of(&self, tensor: usize) -> usize {
        self.places[tensor].file
    }

    /// Where a tensor's bytes begin in its file.
    pub fn offset_of(&self, tensor: usize) -> u64 {
        self.places[tensor].offset
    }

    /// Total size of the tensors in bytes.
    pub fn bytes(&self) -> u64 {
        self.tensors.iter().map(|tensor| tensor.info.bytes()).sum()
    }

    /// Tells the system that a range of a tensor's elements will be read soon, where it can be told.
    pub fn will_need(&self, tensor: usize, elements: Range<u64>) {
        let bytes = self.byte_range(tensor, elements);
        self.contents[self.places[tensor].file].will_need(bytes);
    }

    /// Checks that the files here still have the size and time of their opening. Remote ones are of one commit.
    ///
    /// # Errors
    /// [`Error::Changed`] for the first that does not.
    pub fn ensure_unchanged(&self) -> Result<(), Error> {
        self.files.iter().try_for_each(ShardFile::ensure_unchanged)
    }

    /// The bytes of a range of elements, within the tensor's file.
    fn byte_range(&self, tensor: usize, elements: Range<u64>) -> Range<usize> {
        let info = &self.tensors[tensor].info;
        assert!(
            elements.start <= elements.end && elements.end <= info.elements(),
            "elements {elements:?} of a tensor that has {}",
            info.elements()
        );
        let bits = info.dtype.bits();
        let (start, end) = (elements.start * bits, elements.end * bits);
        assert!(
            start % 8 == 0 && end % 8 == 0,
            "elements {elements:?} of {} do not begin and end on a byte",
            info.dtype
        );
        let offset = self.places[tensor].offset;
        (offset + start / 8) as usize..(offset + end / 8) as usize
    }
}

impl TensorSource for Checkpoint {
    fn tensors(&self) -> &[TensorEntry] {
        &self.tensors
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn read<'a>(
        &'a self,
        tensor: usize,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        let bytes = self.byte_range(tensor, elements);
        let file = self.places[tensor].file;
        let contents = &self.contents[file];
        if contents.is_lost() {
            return Err(self.files[file].loss());
        }
        contents.read(bytes, scratch)
    }

    fn ensure_intact(&self) -> Result<(), Error> {
        if !any_lost() {
            return Ok(());
        }
        let mut files = self.files.iter().zip(&self.contents);
        match files.find(|(_, contents)| contents.is_lost()) {
            Some((file, _)) => Err(file.loss()),
            None => Ok(()),
        }
    }

    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        self.files
            .iter()
            .try_for_each(ShardFile::ensure_not_rewritten)
    }
}

/// The folder that a path of weights stands for.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn ensure_size(path: &Path, found: u64, expected: u64) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Changed {
        path: path.to_owned(),
        found,
        expected,
    })
}

//! Small checkpoints for tests. Only with feature `testing`.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::{
    CastError, Companion, CompanionError, DType, Error, ModelFiles, OutputFormat as _, Safetensors,
    TensorEntry, TensorInfo, narrow_f32, widen_f32,
};

/// A tensor to be written: name, type, shape, values in row-major order.
pub type TestTensor<'a> = (&'a str, DType, &'a [u64], Vec<f32>);

/// Writes `model.safetensors` into a folder, which is created if need be. Values are rounded to the type.
///
/// # Errors
/// When the files cannot be written or a type is a packed or complex one.
///
/// # Panics
/// When the number of values is not that of the shape.
pub fn write_checkpoint(folder: &Path, tensors: &[TestTensor<'_>]) -> Result<(), Error> {
    write_sharded_checkpoint(folder, tensors, None)
}

/// As [`write_checkpoint`], in files of at most `max_shard_bytes` and with an index if there is more than one.
///
/// # Errors
/// When the files cannot be written or a type is a packed or complex one.
///
/// # Panics
/// When the number of values is not that of the shape.
pub fn write_sharded_checkpoint(
    folder: &Path,
    tensors: &[TestTensor<'_>],
    max_shard_bytes: Option<u64>,
) -> Result<(), Error> {
    let entries: Vec<TensorEntry> = tensors
        .iter()
        .map(|(name, dtype, shape, _)| TensorEntry {
            name: (*name).to_owned(),
            info: TensorInfo {
                dtype: *dtype,
                shape: shape.to_vec(),
            },
        })
        .collect();
    let layout = Safetensors.layout(&entries, max_shard_bytes)?;
    fs_err::create_dir_all(folder)?;
    for shard in layout.shards() {
        let mut file = Safetensors.preamble(shard);
        for tensor in &shard.tensors {
            let values = &tensors[tensor.index].3;
            assert_eq!(
                values.len() as u64,
                tensor.info.elements(),
                "values of {}",
                tensor.name
            );
            file.extend(bytes_of(tensor.info.dtype, values)?);
        }
        fs_err::write(folder.join(&shard.file_name), file)?;
    }
    if let Some((name, index)) = Safetensors.index(&layout) {
        fs_err::write(folder.join(name), index)?;
    }
    Ok(())
}

/// Values as little-endian bytes of a type: floats rounded to nearest, integers cut off and saturating.
///
/// # Errors
/// When the type is a packed or complex one, or an 8-bit float other than F8_E4M3 and F8_E5M2.
pub fn bytes_of(dtype: DType, values: &[f32]) -> Result<Vec<u8>, CastError> {
    if dtype.is_plain_float() {
        let mut bytes = vec![0; values.len() * dtype.bits() as usize / 8];
        narrow_f32(values, dtype, &mut bytes)?;
        return Ok(bytes);
    }
    let each = values.iter().copied();
    Ok(match dtype {
        DType::BOOL => each.map(|x| u8::from(x != 0.0)).collect(),
        DType::U8 => each.map(|x| x as u8).collect(),
        DType::I8 => each.flat_map(|x| (x as i8).to_le_bytes()).collect(),
        DType::U16 => each.flat_map(|x| (x as u16).to_le_bytes()).collect(),
        DType::I16 => each.flat_map(|x| (x as i16).to_le_bytes()).collect(),
        DType::U32 => each.flat_map(|x| (x as u32).to_le_bytes()).collect(),
        DType::I32 => each.flat_map(|x| (x as i32).to_le_bytes()).collect(),
        DType::U64 => each.flat_map(|x| (x as u64).to_le_bytes()).collect(),
        DType::I64 => each.flat_map(|x| (x as i64).to_le_bytes()).collect(),
        DType::F8_E4M3 | DType::F8_E5M2 => nearest_codes(dtype, values)?,
        _ => {
            return Err(CastError {
                from: DType::F32,
                to: dtype,
            });
        }
    })
}

/// The code of an 8-bit float whose value is nearest to each value; the lower code of two.
fn nearest_codes(dtype: DType, values: &[f32]) -> Result<Vec<u8>, CastError> {
    let codes: Vec<u8> = (0..=u8::MAX).collect();
    let mut table = vec![0.0_f32; codes.len()];
    widen_f32(dtype, &codes, &mut table)?;
    let nearest = |value: f32| {
        let distance = |&code: &u8| (table[usize::from(code)] - value).abs();
        codes
            .iter()
            .copied()
            .filter(|&code| table[usize::from(code)].is_finite())
            .min_by(|left, right| distance(left).total_cmp(&distance(right)))
            .unwrap_or(0)
    };
    Ok(values.iter().map(|&value| nearest(value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, TensorSource};

    #[test]
    fn a_sharded_checkpoint_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let tensors = [
            (
                "b",
                DType::F8_E4M3,
                &[2, 2][..],
                vec![1.0, 449.0, -0.002, 0.0],
            ),
            ("a", DType::F16, &[2], vec![1.0, -2.0]),
            ("ids", DType::I64, &[1], vec![-3.0]),
        ];
        write_sharded_checkpoint(&path, &tensors, Some(8)).unwrap();
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(checkpoint.files().len(), 2);
        let read = |name: &str| {
            let tensor = checkpoint.find(name).unwrap();
            let elements = checkpoint.tensors()[tensor].info.elements();
            let mut scratch = Vec::new();
            checkpoint
                .read(tensor, 0..elements, &mut scratch)
                .unwrap()
                .to_vec()
        };
        assert_eq!(read("b"), [0x38, 0x7e, 0x81, 0x00]);
        assert_eq!(read("a"), [0x00, 0x3c, 0x00, 0xc0]);
        assert_eq!(read("ids"), (-3_i64).to_le_bytes());
    }

    #[test]
    fn a_small_checkpoint_is_one_file_without_an_index() {
        let folder = tempfile::tempdir().unwrap();
        write_checkpoint(folder.path(), &[("a", DType::BF16, &[], vec![1.5])]).unwrap();
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(checkpoint.files()[0].name, "model.safetensors");
        assert!(checkpoint.tensors()[0].info.shape.is_empty());
        assert!(!folder.path().join(crate::INDEX_FILE_NAME).exists());
    }
}

/// Files of a model that are in no folder.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(BTreeMap<String, Vec<u8>>);

impl MemoryFiles {
    /// Files by their names.
    pub fn new<B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (&'static str, B)>) -> Self {
        let files = files.into_iter();
        Self(
            files
                .map(|(name, bytes)| (name.to_owned(), bytes.into()))
                .collect(),
        )
    }
}

impl ModelFiles for MemoryFiles {
    fn path_of(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(name).cloned())
    }

    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        let files = self.0.iter();
        Ok(files
            .map(|(name, bytes)| Companion {
                relative: name.into(),
                source: name.into(),
                bytes: bytes.len() as u64,
                modified: None,
            })
            .collect())
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        match self.0.get(relative.to_str().unwrap_or_default()) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

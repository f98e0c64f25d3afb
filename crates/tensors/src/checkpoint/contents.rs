//! Where a file's bytes come from.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use super::mapping::Mapping;
use crate::Error;

/// A file that lies elsewhere and is read by ranges.
pub trait RangeSource: Send + Sync + Debug {
    /// Puts the bytes of a range in `into`, whatever it held before.
    ///
    /// # Errors
    /// When they cannot be had.
    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<(), Error>;

    /// Says that a range will be read soon.
    fn will_need(&self, _range: Range<u64>) {}
}

/// A file of a checkpoint that lies elsewhere.
#[derive(Debug, Clone)]
pub struct RemoteFile {
    /// Its path relative to the checkpoint's folder.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its first bytes, with the whole header.
    pub head: Vec<u8>,
    /// Where the rest is read.
    pub source: Arc<dyn RangeSource>,
}

/// The bytes of a file.
#[derive(Debug)]
pub(super) enum Contents {
    Mapped(Mapping),
    Remote(Arc<dyn RangeSource>),
}

impl Contents {
    pub(super) fn read<'a>(
        &'a self,
        range: Range<usize>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        match self {
            Self::Mapped(mapping) => Ok(&mapping.bytes()[range]),
            Self::Remote(source) => {
                let length = range.len();
                source.read(range.start as u64..range.end as u64, scratch)?;
                assert_eq!(scratch.len(), length, "a source gives what it is asked for");
                Ok(scratch)
            }
        }
    }

    /// Whether bytes that were lent may not have been the file's.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Mapped(mapping) => mapping.is_lost(),
            Self::Remote(_) => false,
        }
    }

    pub(super) fn will_need(&self, range: Range<usize>) {
        match self {
            Self::Mapped(mapping) => mapping.will_need(range),
            Self::Remote(source) => source.will_need(range.start as u64..range.end as u64),
        }
    }
}

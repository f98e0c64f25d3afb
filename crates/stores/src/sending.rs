//! One file's way into a store: at once, or in parts by several connections.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err::File;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use object_store::multipart::PartId;
use object_store::path::Path as ObjectPath;
use object_store::{Error, ObjectStoreExt as _, PutPayload, PutResult};
use weightsmith_tensors::open_regular;

use crate::StoreError;
use crate::bucket::Bucket;
use crate::record::{Record, Sent};
use crate::upload::UploadFile;

/// Stores take 10,000 parts.
const MOST_PARTS: u64 = 9_000;

pub(crate) struct Sender<'a> {
    pub(crate) bucket: &'a Bucket,
    /// Bytes of a part.
    pub(crate) part: u64,
    pub(crate) connections: usize,
    pub(crate) interrupt: &'a AtomicBool,
    pub(crate) advance: &'a (dyn Fn(u64) + Sync),
}

impl Sender<'_> {
    /// Sends a file; gives what is known of the object.
    pub(crate) async fn send(
        &self,
        file: &UploadFile,
        record: &mut Record,
    ) -> Result<Sent, StoreError> {
        let path = self.bucket.path(&file.name)?;
        let mut reader = Reader::open(file)?;
        let put = if file.size <= self.part {
            self.ensure_going_on()?;
            let bytes = reader.next(file.size)?;
            let put = self
                .bucket
                .objects
                .put(&path, PutPayload::from(bytes))
                .await;
            let put = put.map_err(|error| self.failed(&error))?;
            (self.advance)(file.size);
            put
        } else {
            self.send_parts(file, &path, &mut reader, record).await?
        };
        let tag = match put.e_tag {
            Some(tag) => tag,
            // not every store tells it at once
            None => self.tag(&path).await?,
        };
        Ok(Sent {
            size: file.size,
            blake3: reader.hasher.finalize().to_hex().to_string(),
            tag,
        })
    }

    async fn tag(&self, path: &ObjectPath) -> Result<String, StoreError> {
        let found = self.bucket.objects.head(path).await;
        let found = found.map_err(|error| self.failed(&error))?;
        Ok(found.e_tag.unwrap_or_default())
    }

    /// Sends parts and puts them together; gives them up where that fails, for a store keeps them at a price.
    async fn send_parts(
        &self,
        file: &UploadFile,
        path: &ObjectPath,
        reader: &mut Reader,
        record: &mut Record,
    ) -> Result<PutResult, StoreError> {
        self.ensure_going_on()?;
        let objects = &self.bucket.objects;
        let id = objects.create_multipart(path).await;
        let id = id.map_err(|error| self.failed(&error))?;
        record.content.open = vec![(file.name.clone(), id.clone())];
        record.save()?;
        let sent = match self.parts(file, path, &id, reader).await {
            Ok(parts) => objects
                .complete_multipart(path, &id, parts)
                .await
                .map_err(|error| self.failed(&error)),
            Err(error) => Err(error),
        };
        // where it cannot be given up now, the next run tries again
        if sent.is_ok() || objects.abort_multipart(path, &id).await.is_ok() {
            record.content.open.clear();
            record.save()?;
        }
        sent
    }

    async fn parts(
        &self,
        file: &UploadFile,
        path: &ObjectPath,
        id: &String,
        reader: &mut Reader,
    ) -> Result<Vec<PartId>, StoreError> {
        let size = self.part.max(file.size.div_ceil(MOST_PARTS));
        let count = file.size.div_ceil(size) as usize;
        let mut parts: Vec<Option<PartId>> = vec![None; count];
        let mut going = FuturesUnordered::new();
        let mut next = 0;
        let mut failed = None;
        loop {
            while failed.is_none() && next < count && going.len() < self.connections.max(1) {
                let length = size.min(file.size - next as u64 * size);
                let bytes = self.ensure_going_on().and_then(|()| reader.next(length));
                match bytes {
                    Ok(bytes) => going.push(self.part(path, id, next, bytes)),
                    Err(error) => failed = Some(error),
                }
                next += 1;
            }
            // those that are under way come to their end even after an error: none may arrive after the upload was given up
            match going.next().await {
                None => break,
                Some(Ok((index, length, part))) => {
                    parts[index] = Some(part);
                    (self.advance)(length);
                }
                Some(Err(error)) => {
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(parts.into_iter().flatten().collect()),
        }
    }

    async fn part(
        &self,
        path: &ObjectPath,
        id: &String,
        index: usize,
        bytes: Vec<u8>,
    ) -> Result<(usize, u64, PartId), StoreError> {
        let length = bytes.len() as u64;
        let payload = PutPayload::from(bytes);
        let part = self.bucket.objects.put_part(path, id, index, payload).await;
        let part = part.map_err(|error| self.failed(&error))?;
        Ok((index, length, part))
    }

    fn ensure_going_on(&self) -> Result<(), StoreError> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(StoreError::Interrupted);
        }
        Ok(())
    }

    fn failed(&self, error: &Error) -> StoreError {
        self.bucket.error("write to", error)
    }
}

/// A file that is hashed while it is read.
struct Reader {
    file: File,
    hasher: blake3::Hasher,
}

impl Reader {
    fn open(file: &UploadFile) -> Result<Self, StoreError> {
        Ok(Self {
            file: open_regular(&file.path)?,
            hasher: blake3::Hasher::new(),
        })
    }

    fn next(&mut self, length: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }
}

/// A file's BLAKE3.
pub(crate) fn hash(path: &Path) -> Result<String, StoreError> {
    let mut hasher = blake3::Hasher::new();
    let mut file = open_regular(path)?;
    let mut bytes = vec![0; 1 << 20];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            count => hasher.update(&bytes[..count]),
        };
    }
}

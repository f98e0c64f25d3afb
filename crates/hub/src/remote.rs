//! The headers of weights that stay where they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use weightsmith_tensors::{Header, HeaderError, RemoteFile};

use crate::HubError;
use crate::client::Client;
use crate::listing::{HubFile, Listing};
use crate::location::Location;
use crate::streamed::{Blocks, Streamed};

/// What is read of a file at first: most headers fit.
const FIRST: u64 = 16 << 10;

/// The headers of files, read by several connections at once, and ways to read the rest.
pub(crate) fn heads(
    client: &Arc<Client>,
    listing: &Listing,
    files: &[&HubFile],
    connections: usize,
    blocks: &Arc<Blocks>,
) -> Result<Vec<RemoteFile>, HubError> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, RemoteFile)>> = Mutex::new(Vec::new());
    let failed: Mutex<Option<HubError>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..connections.clamp(1, files.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { return };
                    match head(client, listing, file, blocks) {
                        Ok(head) => lock(&found).push((index, head)),
                        Err(error) => {
                            lock(&failed).get_or_insert(error);
                            next.store(files.len(), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, head)| head).collect())
}

fn head(
    client: &Arc<Client>,
    listing: &Listing,
    file: &HubFile,
    blocks: &Arc<Blocks>,
) -> Result<RemoteFile, HubError> {
    let location = Location::new(client, listing, file);
    let mut head = location.read(client, 0..file.size.min(FIRST), &|_| ())?;
    let problem = |problem: HeaderError| {
        HubError::Tensors(weightsmith_tensors::Error::Header {
            path: format!("{}/{}", listing.name.repository, file.path).into(),
            problem: Box::new(problem),
        })
    };
    let length = Header::json_length(&head, file.size).map_err(problem)? + 8;
    if length > head.len() as u64 {
        head.extend(location.read(client, head.len() as u64..length, &|_| ())?);
    }
    head.truncate(length as usize);
    Ok(RemoteFile {
        name: file.path.clone(),
        size: file.size,
        head,
        source: Arc::new(Streamed::new(
            Arc::clone(client),
            location,
            Arc::clone(blocks),
        )),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

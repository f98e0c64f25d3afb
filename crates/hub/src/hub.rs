//! A hub and what can be done with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith_tensors::{BlockCache, Checkpoint, RemoteFile, WeightFiles, indexed_files};

use crate::cache::RepoCache;
use crate::client::Client;
use crate::download::{Needed, download};
use crate::listing::{HubFile, Listing};
use crate::location::Location;
use crate::pieces::PIECE;
use crate::remote::OnHub;
use crate::{HubError, HubSettings, ModelName, Progress};

/// A hub, asked by blocking calls.
#[derive(Debug)]
pub struct Hub {
    pub(crate) client: Arc<Client>,
    cache: PathBuf,
    links: bool,
    connections: usize,
    pub(crate) offline: bool,
    blocks: Arc<BlockCache>,
    piece: u64,
}

impl Hub {
    /// A hub; nothing is asked yet.
    pub fn new(settings: &HubSettings) -> Self {
        Self {
            client: Arc::new(Client::new(settings)),
            cache: settings.cache.clone(),
            links: settings.links,
            connections: settings.connections.max(1),
            offline: settings.offline,
            blocks: Arc::default(),
            piece: PIECE,
        }
    }

    /// Whether it must not be asked.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// With pieces of another size, so that small files have several.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_pieces(mut self, bytes: u64) -> Self {
        self.piece = bytes;
        self
    }

    /// Asks what a model consists of, and whether its files may be read.
    ///
    /// # Errors
    /// When it cannot be had, with the reason.
    pub fn look(&self, name: &ModelName) -> Result<Listing, HubError> {
        if self.offline {
            return Err(HubError::Offline {
                model: name.to_string(),
            });
        }
        let listing = Listing::fetch(&self.client, name)?;
        let probe = listing.file("config.json").or(listing.files.first());
        if let Some(file) = probe {
            Location::new(&self.client, &listing, file).check(&self.client)?;
        }
        Ok(listing)
    }

    /// Downloads what a merge needs of models into the cache; gives the folder of each. All small files come first, so that what
    /// is wrong shows before the weights.
    ///
    /// # Errors
    /// The first that goes wrong. What has come stays, and the same call goes on from there.
    pub fn pull(
        &self,
        listings: &[Listing],
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>, HubError> {
        let folders = self.pull_companions(listings, progress)?;
        let caches = self.caches(listings);
        let mut weights = Vec::new();
        for (listing, folder) in listings.iter().zip(&folders) {
            weights.push(weight_files(listing, folder)?);
        }
        let needed = needed(&caches, listings, &weights);
        self.fetch(needed, progress)?;
        Ok(folders)
    }

    /// Downloads everything but the weights; gives the folder of each model.
    ///
    /// # Errors
    /// The first that goes wrong.
    pub fn pull_companions(
        &self,
        listings: &[Listing],
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>, HubError> {
        let caches = self.caches(listings);
        let files: Vec<Vec<&HubFile>> = listings.iter().map(Listing::companions).collect();
        let needed = needed(&caches, listings, &files);
        self.fetch(needed, progress)?;
        let mut folders = Vec::new();
        for (cache, listing) in caches.iter().zip(listings) {
            let folder = cache.make_snapshot(&listing.commit)?;
            cache.set_ref(listing)?;
            folders.push(folder);
        }
        Ok(folders)
    }

    /// Downloads files by their names, whatever they are; those that the model does not have are left out.
    ///
    /// # Errors
    /// The first that goes wrong.
    pub fn pull_named(
        &self,
        listing: &Listing,
        names: &[String],
        progress: &dyn Progress,
    ) -> Result<(), HubError> {
        let listings = std::slice::from_ref(listing);
        let caches = self.caches(listings);
        let files = names.iter().filter_map(|name| listing.file(name)).collect();
        self.fetch(needed(&caches, listings, &[files]), progress)
    }

    /// Downloads files and shows them in their commits' folders: only when all are there, for half of a model's weights could be
    /// taken for the whole.
    fn fetch(&self, needed: Vec<Needed<'_>>, progress: &dyn Progress) -> Result<(), HubError> {
        let (connections, piece) = (self.connections, self.piece);
        download(&self.client, &needed, connections, piece, progress)?;
        for (cache, listing, file) in needed {
            cache.link(&listing.commit, file)?;
        }
        Ok(())
    }

    /// Opens a model's weights where they are. `folder` is the model's in the cache, with its small files.
    ///
    /// # Errors
    /// When a header cannot be had or is not sound.
    pub fn open(&self, listing: &Listing, folder: &Path) -> Result<Checkpoint, HubError> {
        let files = weight_files(listing, folder)?;
        let files = files.into_iter().map(|file| OnHub {
            client: Arc::clone(&self.client),
            location: Location::new(&self.client, listing, file),
        });
        let place = Path::new(&listing.name.repository);
        let files = RemoteFile::open_all(place, files.collect(), self.connections, &self.blocks)?;
        let index = match listing.weights()? {
            WeightFiles::Indexed(index) => Some(folder.join(index)),
            WeightFiles::Files(_) => None,
        };
        let checkpoint = Checkpoint::open_remote(folder, index.as_deref(), files)?;
        Ok(checkpoint.at_revision(&listing.commit))
    }

    /// The size of a model's weights in bytes. `folder` is the model's in the cache, with its small files.
    ///
    /// # Errors
    /// When the model has none.
    pub fn weight_bytes(&self, listing: &Listing, folder: &Path) -> Result<u64, HubError> {
        let files = weight_files(listing, folder)?;
        Ok(files.iter().map(|file| file.size).sum())
    }

    /// Bytes of tensors that were read by [`Checkpoint::read`](weightsmith_tensors::TensorSource::read) of opened models so far.
    pub fn streamed_bytes(&self) -> u64 {
        self.blocks.fetched()
    }

    fn caches(&self, listings: &[Listing]) -> Vec<RepoCache> {
        let caches = listings.iter();
        caches
            .map(|listing| RepoCache::new(&self.cache, &listing.name.repository, self.links))
            .collect()
    }
}

/// The files of a model's weights.
fn weight_files<'a>(listing: &'a Listing, folder: &Path) -> Result<Vec<&'a HubFile>, HubError> {
    let names = match listing.weights()? {
        WeightFiles::Indexed(index) => indexed_files(&folder.join(index))?,
        WeightFiles::Files(names) => names,
    };
    listing.named(&names)
}

fn needed<'a>(
    caches: &'a [RepoCache],
    listings: &'a [Listing],
    files: &[Vec<&'a HubFile>],
) -> Vec<Needed<'a>> {
    caches
        .iter()
        .zip(listings)
        .zip(files)
        .flat_map(|((cache, listing), files)| files.iter().map(move |file| (cache, listing, *file)))
        .collect()
}

//! How much a store may list. A store that gives ever new pages would never come to an end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Pages of one listing; stores put a thousand objects on each.
const MOST_PAGES: u64 = 1_000;
/// Bytes of all pages of a listing.
const MOST_BYTES: u64 = 128 << 20;
/// Objects of one listing.
pub(crate) const MOST_OBJECTS: usize = 200_000;
/// How long a listing may take.
pub(crate) const LONGEST: Duration = Duration::from_mins(2);
/// No store takes a larger object, and no sum of so many sizes is more than a number can hold.
pub(crate) const LARGEST_OBJECT: u64 = 1 << 46;

/// Counts what comes of listings.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    pages: AtomicU64,
    bytes: AtomicU64,
}

/// A listing that has become too long.
#[derive(Debug, thiserror::Error)]
#[error("the listing exceeds the limit: {pages} pages of {bytes} bytes")]
pub(crate) struct TooMany {
    pages: u64,
    bytes: u64,
}

impl Pages {
    /// A listing begins.
    pub(crate) fn begin(&self) {
        self.pages.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// A page has come.
    pub(crate) fn add(&self, size: usize) -> Result<(), TooMany> {
        let size = size as u64;
        let pages = self.pages.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self
            .bytes
            .fetch_add(size, Ordering::Relaxed)
            .saturating_add(size);
        if pages > MOST_PAGES || bytes > MOST_BYTES {
            return Err(TooMany { pages, bytes });
        }
        Ok(())
    }
}

/// Whether a request asks for a page of a listing, in the words of S3 and Google, or of Azure.
pub(crate) fn is_listing(query: Option<&str>) -> bool {
    let mut pairs = query.unwrap_or_default().split('&');
    pairs.any(|pair| matches!(pair, "list-type=2" | "comp=list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends() {
        let pages = Pages::default();
        assert!((0..MOST_PAGES).all(|_| pages.add(100).is_ok()));
        assert!(pages.add(100).is_err());
        pages.begin();
        assert!(pages.add(MOST_BYTES as usize).is_ok());
        assert!(pages.add(1).is_err());
        assert!(
            is_listing(Some("list-type=2&prefix=a"))
                && is_listing(Some("restype=container&comp=list"))
        );
        assert!(!is_listing(Some("prefix=list-type=2x")) && !is_listing(None));
    }

    #[test]
    fn sums_of_sizes_do_not_wrap() {
        assert!((MOST_OBJECTS as u64).checked_mul(LARGEST_OBJECT).is_some());
    }
}

//! Caches of finished sequences, kept for prompts that begin alike.

use weightsmith_infer::KvCache;

use super::CHUNK;

/// Kept caches, the one that was used last at the end.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// The tokens that the cache holds.
    tokens: Vec<u32>,
    cache: KvCache,
}

impl Prefixes {
    /// Keeps a cache, unless one that is kept begins with the same tokens.
    pub(super) fn keep(&mut self, mut tokens: Vec<u32>, mut cache: KvCache, most: usize) {
        tokens.truncate(cache.len());
        // what a sliding window needs there may be gone
        let whole = cache.truncate(tokens.len() / CHUNK * CHUNK);
        tokens.truncate(whole);
        if whole == 0 || most == 0 {
            return;
        }
        if let Some(place) = self
            .kept
            .iter()
            .position(|kept| kept.tokens.starts_with(&tokens))
        {
            let used = self.kept.remove(place);
            self.kept.push(used);
            return;
        }
        self.kept.retain(|kept| !tokens.starts_with(&kept.tokens));
        self.kept.push(Kept { tokens, cache });
        while self.kept.len() > most {
            self.kept.remove(0);
        }
    }

    /// The longest beginning of a prompt that is kept, in whole chunks; its last token is computed in any case.
    pub(super) fn find(&mut self, prompt: &[u32]) -> Option<KvCache> {
        let shared = |kept: &Kept| {
            let alike = kept.tokens.iter().zip(prompt).take_while(|(a, b)| a == b);
            alike.count().min(prompt.len() - 1) / CHUNK * CHUNK
        };
        let (place, length) = self
            .kept
            .iter()
            .enumerate()
            .map(|(place, kept)| (place, shared(kept)))
            .max_by_key(|&(_, length)| length)
            .filter(|&(_, length)| length > 0)?;
        let used = self.kept.remove(place);
        let mut cache = used.cache.clone();
        self.kept.push(used);
        (cache.truncate(length) > 0).then_some(cache)
    }

    /// Memory of what is kept.
    pub(super) fn bytes(&self) -> u64 {
        self.kept.iter().map(|kept| kept.cache.bytes()).sum()
    }

    /// Forgets what was used longest ago; false if nothing is kept.
    pub(super) fn forget_one(&mut self) -> bool {
        if self.kept.is_empty() {
            return false;
        }
        self.kept.remove(0);
        true
    }
}

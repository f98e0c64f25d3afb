//! What goes wrong on demand.

/// A fault for the next requests whose path holds a text.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Part of the path that must match, such as `model.safetensors` or `/api/models/`.
    pub path: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many requests it happens to.
    pub times: usize,
}

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A status, with the seconds of `Retry-After` where they are given.
    Status(u16, Option<u64>),
    /// The connection ends before that byte of the file is sent; answers that do not hold it are not touched.
    CutAt(u64),
    /// That byte of the file is sent with all bits turned over; answers that do not hold it are not touched.
    FlipAt(u64),
    /// The answer ignores the range and gives the whole file.
    NoRanges,
}

/// The faults that are waiting.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The status to answer a request with.
    pub(super) fn status(&mut self, path: &str) -> Option<(u16, Option<u64>)> {
        self.take(path, |kind| match kind {
            FaultKind::Status(code, wait) => Some((code, wait)),
            _ => None,
        })
    }

    /// Whether the range of a request is to be ignored.
    pub(super) fn ignores_ranges(&mut self, path: &str) -> bool {
        self.take(path, |kind| (kind == FaultKind::NoRanges).then_some(()))
            .is_some()
    }

    /// What happens to a body that holds these bytes of a file.
    pub(super) fn body(&mut self, path: &str, range: &std::ops::Range<u64>) -> Option<FaultKind> {
        self.take(path, |kind| match kind {
            FaultKind::CutAt(byte) | FaultKind::FlipAt(byte) if range.contains(&byte) => Some(kind),
            _ => None,
        })
    }

    fn take<T>(&mut self, path: &str, fits: impl Fn(FaultKind) -> Option<T>) -> Option<T> {
        let (index, found) = self.0.iter().enumerate().find_map(|(index, fault)| {
            let found = fits(fault.kind)?;
            path.contains(&fault.path).then_some((index, found))
        })?;
        self.0[index].times -= 1;
        if self.0[index].times == 0 {
            self.0.remove(index);
        }
        Some(found)
    }
}

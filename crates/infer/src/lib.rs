//! Text from language models: from a checkpoint on disk, or from a merge that was never written.

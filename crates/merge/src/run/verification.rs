//! After the run: what is on disk against the plan.

use std::path::Path;

use weightsmith_tensors::{Checkpoint, TensorSource};

use super::error::RunError;
use crate::plan::Plan;

/// Reads the headers of the result again and compares every tensor with the plan.
pub(super) fn verify_headers(plan: &Plan, folder: &Path) -> Result<(), RunError> {
    let written = Checkpoint::open(folder)?;
    let wrong = |what: String| {
        Err(RunError::Verification {
            path: folder.to_owned(),
            what,
        })
    };
    if written.tensors().len() != plan.tensors.len() {
        return wrong(format!(
            "{} tensors were written, {} planned",
            written.tensors().len(),
            plan.tensors.len()
        ));
    }
    for planned in &plan.tensors {
        match written
            .find(&planned.name)
            .map(|tensor| &written.tensors()[tensor].info)
        {
            Some(info) if *info == planned.info => {}
            found => {
                return wrong(format!(
                    "tensor `{}` is {found:?}, planned was {:?}",
                    planned.name, planned.info
                ));
            }
        }
    }
    for shard in plan.layout.shards() {
        let path = folder.join(&shard.file_name);
        let found = fs_err::metadata(&path)?.len();
        if found != shard.file_size {
            return wrong(format!(
                "{} has {found} bytes, planned were {}",
                shard.file_name, shard.file_size
            ));
        }
    }
    Ok(())
}

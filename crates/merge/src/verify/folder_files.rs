//! Files in a model's folder that its lock does not list.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::finding::{Finding, Problem};
use crate::output::{LOCK_FILE, Lock};

/// Deeper folders are not looked into.
const DEEPEST: usize = 8;

/// A note for each file that is not listed. Hidden files and folders (`.git`, `.cache`) are left alone.
pub(super) fn unlisted(out: &Path, lock: &Lock) -> io::Result<Vec<Finding>> {
    let listed: BTreeSet<&str> = lock.files.iter().map(|file| file.name.as_str()).collect();
    let mut names = Vec::new();
    collect(out, "", 0, &mut names)?;
    names.sort();
    let unlisted = names
        .into_iter()
        .filter(|name| name != LOCK_FILE && !listed.contains(name.as_str()));
    Ok(unlisted
        .map(|name| Finding::note(name, Problem::Unlisted))
        .collect())
}

fn collect(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if !entry.file_type()?.is_dir() {
            names.push(path);
        } else if depth < DEEPEST {
            collect(&entry.path(), &format!("{path}/"), depth + 1, names)?;
        }
    }
    Ok(())
}

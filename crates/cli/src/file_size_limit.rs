//! `ulimit -f`: a file that may grow no further.

/// Makes a write beyond the limit an error, which names the file, where the system's default ends the process without a word.
#[cfg(unix)]
pub(crate) fn report_as_error() -> std::io::Result<()> {
    let reached = std::sync::Arc::default();
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, reached)?;
    Ok(())
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn report_as_error() -> std::io::Result<()> {
    Ok(())
}

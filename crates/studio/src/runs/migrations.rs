//! The tables of the history, and how older ones become today's.

use rusqlite::Connection;

/// Each is applied once, in this order; `user_version` says how many were.
const MIGRATIONS: &[&str] = &["
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    model TEXT,
    request TEXT NOT NULL,
    created REAL NOT NULL,
    queued REAL NOT NULL,
    started REAL,
    ended REAL,
    stage TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    tensors_done INTEGER,
    tensors INTEGER,
    error TEXT,
    result TEXT
) STRICT;
CREATE INDEX runs_of_state ON runs (state, queued);
CREATE INDEX runs_of_model ON runs (kind, model);
CREATE TABLE lines (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at REAL NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX lines_of_run ON lines (run);
", "
-- long requests whole; `runs` has their beginning, so that what is read and written all the time stays small
CREATE TABLE requests (
    run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    request TEXT NOT NULL
) STRICT;
"];

/// Brings a database to today's tables.
///
/// # Errors
/// When it cannot be written, or a newer program made it.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), String> {
    let read = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let version: i64 = read.map_err(|error| error.to_string())?;
    let version = usize::try_from(version).unwrap_or(0);
    if version > MIGRATIONS.len() {
        return Err(format!(
            "it has version {version}, and this program supports {}; it was created by a newer Weightsmith",
            MIGRATIONS.len()
        ));
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        apply(connection, migration, index + 1).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn apply(connection: &mut Connection, migration: &str, version: usize) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(migration)?;
    transaction.pragma_update(None, "user_version", version as i64)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_applied_once_and_newer_tables_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        connection
            .pragma_update(None, "user_version", 99)
            .expect("set");
        assert!(migrate(&mut connection).unwrap_err().contains("newer"));
    }
}

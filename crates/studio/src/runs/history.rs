//! The history: all runs and their logs, in SQLite.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::kinds::{Lane, lane};
use super::migrations::migrate;
use super::shortened::shortened;
use crate::clock::now;
use crate::wire::{LogLine, Request as _, Run, RunError, RunKind, RunRequest, RunResult, RunState};

/// Lines of a log that are kept.
const MOST_LINES: i64 = 5000;

/// Runs of kinds that this program knows.
const KNOWN: &str = "kind IN ('merge', 'evaluate', 'difference', 'pull', 'push')";

const COLUMNS: &str = "id, kind, state, title, model, request, created, started, ended, stage, \
    done, total, tensors_done, tensors, error, result";

/// Which runs a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) kind: Option<RunKind>,
    pub(crate) state: Option<RunState>,
    pub(crate) model: Option<String>,
    /// Only those with smaller numbers.
    pub(crate) before: Option<i64>,
    pub(crate) limit: usize,
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Standing {
    pub(super) stage: Option<String>,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) tensors_done: Option<u64>,
    pub(super) tensors: Option<u64>,
}

impl Standing {
    /// Puts it into what is shown of a run.
    pub(super) fn show_in(&self, run: &mut Run) {
        let Self {
            stage,
            done,
            total,
            tensors_done,
            tensors,
        } = self.clone();
        run.stage = stage;
        (run.done, run.total) = (done, total);
        (run.tensors_done, run.tensors) = (tensors_done, tensors);
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    /// When, in seconds since 1970.
    pub(super) at: f64,
    pub(super) state: RunState,
    pub(super) error: Option<RunError>,
    pub(super) result: Option<RunResult>,
}

/// An open history.
#[derive(Debug)]
pub(super) struct History {
    connection: Connection,
}

impl History {
    /// Opens a history, or makes an empty one. What was running when its program ended is interrupted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn open(file: &Path) -> Result<Self, String> {
        let mut connection = Connection::open(file).map_err(|error| error.to_string())?;
        let set = connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
        );
        set.map_err(|error| error.to_string())?;
        migrate(&mut connection)?;
        let history = Self { connection };
        let interrupted = history.connection.execute(
            "UPDATE runs SET state = 'interrupted', ended = ?1 WHERE state = 'running'",
            [now()],
        );
        interrupted.map_err(|error| error.to_string())?;
        Ok(history)
    }

    /// How long each operation waits for a lock that is held on the history.
    pub(super) fn wait_at_most(&self, patience: Duration) {
        // it only sets a number; without it operations fail at once
        let _ = self.connection.busy_timeout(patience);
    }

    /// Adds a run that waits for its turn.
    pub(super) fn add(
        &self,
        title: &str,
        model: Option<&str>,
        request: &RunRequest,
    ) -> rusqlite::Result<i64> {
        let kind = request.kind().name();
        let request = written(request)?;
        let brief = shortened(&request);
        let transaction = self.connection.unchecked_transaction()?;
        transaction.execute(
            "INSERT INTO runs (kind, state, title, model, request, created, queued) VALUES (?1, 'queued', ?2, ?3, ?4, ?5, ?5)",
            params![kind, title, model, brief.to_string(), now()],
        )?;
        let id = transaction.last_insert_rowid();
        if brief != request {
            transaction.execute(
                "INSERT INTO requests (run, request) VALUES (?1, ?2)",
                params![id, request.to_string()],
            )?;
        }
        transaction.commit()?;
        Ok(id)
    }

    /// A run with its whole request; nothing for a number that there is not.
    pub(super) fn get_whole(&self, id: i64) -> rusqlite::Result<Option<Run>> {
        let Some(mut run) = self.get(id)? else {
            return Ok(None);
        };
        let query = "SELECT request FROM requests WHERE run = ?1";
        let whole = self
            .connection
            .query_row(query, [id], |row| row.get::<_, String>(0));
        if let Some(whole) = whole.optional()? {
            run.request = requested(run.kind, &whole);
        }
        Ok(Some(run))
    }

    /// A run; nothing for a number that there is not.
    pub(super) fn get(&self, id: i64) -> rusqlite::Result<Option<Run>> {
        let query = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1 AND {KNOWN}");
        self.connection.query_row(&query, [id], run).optional()
    }

    /// Runs, newest first.
    pub(super) fn list(&self, filter: &Filter) -> rusqlite::Result<Vec<Run>> {
        let query = format!(
            "SELECT {COLUMNS} FROM runs WHERE {KNOWN} AND (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR state = ?2) \
             AND (?3 IS NULL OR model = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let wanted = params![
            filter.kind.map(RunKind::name),
            filter.state.map(RunState::name),
            filter.model,
            filter.before,
            filter.limit as i64
        ];
        let found = statement.query_map(wanted, run)?;
        found.collect()
    }

    /// The numbers of the runs of a lane that wait, in their order.
    pub(super) fn waiting(&self, wanted: Lane) -> rusqlite::Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, kind FROM runs WHERE state = 'queued' ORDER BY queued, id",
        )?;
        let found = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let all: Vec<(i64, String)> = found.collect::<rusqlite::Result<_>>()?;
        let is_in_lane = |kind: &str| RunKind::named(kind).is_some_and(|kind| lane(kind) == wanted);
        Ok(all
            .into_iter()
            .filter(|(_, kind)| is_in_lane(kind))
            .map(|(id, _)| id)
            .collect())
    }

    /// Whether a run of a kind about a model waits or is worked on.
    pub(super) fn is_under_way(&self, kind: RunKind, model: &str) -> rusqlite::Result<bool> {
        let count: i64 = self.connection.query_row(
            "SELECT count(*) FROM runs WHERE kind = ?1 AND model = ?2 AND state IN ('queued', 'running')",
            params![kind.name(), model],
            |row| row.get(0),
        )?;
        Ok(count > 0)
    }

    /// Whether another run of a kind about a model has not got to its end: it waits, is worked on or can be gone on with.
    pub(super) fn has_unfinished(
        &self,
        kind: RunKind,
        model: &str,
        but: i64,
    ) -> rusqlite::Result<bool> {
        let count: i64 = self.connection.query_row(
            "SELECT count(*) FROM runs WHERE kind = ?1 AND model = ?2 AND id <> ?3 AND state <> 'done'",
            params![kind.name(), model, but],
            |row| row.get(0),
        )?;
        Ok(count > 0)
    }

    /// A run is worked on from now.
    pub(super) fn begin(&self, id: i64) -> rusqlite::Result<()> {
        let change = "UPDATE runs SET state = 'running', started = ?2, ended = NULL, error = NULL, result = NULL WHERE id = ?1";
        self.connection.execute(change, params![id, now()])?;
        Ok(())
    }

    /// A run waits again.
    pub(super) fn queue_again(&self, id: i64) -> rusqlite::Result<()> {
        let change = "UPDATE runs SET state = 'queued', queued = ?2, ended = NULL, error = NULL WHERE id = ?1";
        self.connection.execute(change, params![id, now()])?;
        Ok(())
    }

    /// How far a run is.
    pub(super) fn note(&self, id: i64, standing: &Standing) -> rusqlite::Result<()> {
        self.connection.execute(
            "UPDATE runs SET stage = ?2, done = ?3, total = ?4, tensors_done = ?5, tensors = ?6 WHERE id = ?1",
            params![
                id,
                standing.stage,
                standing.done as i64,
                standing.total as i64,
                standing.tensors_done.map(|count| count as i64),
                standing.tensors.map(|count| count as i64)
            ],
        )?;
        Ok(())
    }

    /// A run has ended.
    pub(super) fn end(&self, id: i64, end: &End) -> rusqlite::Result<()> {
        let error = end.error.as_ref().map(serde_json::to_string);
        let error = error.transpose().unwrap_or_default();
        let result = end.result.as_ref().map(written).transpose()?;
        let result = result.map(|result| result.to_string());
        self.connection.execute(
            "UPDATE runs SET state = ?2, ended = ?3, error = ?4, result = ?5 WHERE id = ?1",
            params![id, end.state.name(), end.at, error, result],
        )?;
        Ok(())
    }

    /// Forgets a run.
    pub(super) fn delete(&self, id: i64) -> rusqlite::Result<()> {
        self.connection
            .execute("DELETE FROM runs WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Adds a line to a run's log; false when there are too many already.
    pub(super) fn log(&self, id: i64, line: &LogLine) -> rusqlite::Result<bool> {
        let added = self.connection.execute(
            "INSERT INTO lines (run, at, text) SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM lines WHERE run = ?1) < ?4",
            params![id, line.at, line.text, MOST_LINES],
        )?;
        Ok(added > 0)
    }

    /// A run's log.
    pub(super) fn lines(&self, id: i64) -> rusqlite::Result<Vec<LogLine>> {
        let query = "SELECT at, text FROM lines WHERE run = ?1 ORDER BY rowid";
        let mut statement = self.connection.prepare_cached(query)?;
        let found = statement.query_map([id], |row| {
            Ok(LogLine {
                at: row.get(0)?,
                text: row.get(1)?,
            })
        })?;
        found.collect()
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let count = |value: Option<i64>| value.map(|value| value.max(0) as u64);
    let kind: String = row.get(1)?;
    let kind = RunKind::named(&kind)
        .ok_or_else(|| unreadable(1, format!("`{kind}` is no kind of run").into()))?;
    let state: String = row.get(2)?;
    let request: String = row.get(5)?;
    let error: Option<String> = row.get(14)?;
    let result: Option<String> = row.get(15)?;
    let result = result.and_then(|text| serde_json::from_str(&text).ok());
    Ok(Run {
        id: row.get(0)?,
        version: 0,
        kind,
        // a state that this program does not know is none that it works on
        state: RunState::named(&state).unwrap_or(RunState::Interrupted),
        title: row.get(3)?,
        model: row.get(4)?,
        request: requested(kind, &request),
        created: row.get(6)?,
        started: row.get(7)?,
        ended: row.get(8)?,
        stage: row.get(9)?,
        done: count(row.get(10)?).unwrap_or_default(),
        total: count(row.get(11)?).unwrap_or_default(),
        rate: None,
        eta: None,
        tensors_done: count(row.get(12)?),
        tensors: count(row.get(13)?),
        queue_position: None,
        error: error.and_then(|text| serde_json::from_str(&text).ok()),
        result: result.and_then(|result| RunResult::read(kind, result)),
    })
}

/// What was asked for; nothing is in a request that cannot be read.
fn requested(kind: RunKind, text: &str) -> RunRequest {
    let request = serde_json::from_str(text).ok();
    let request = request.and_then(|request| RunRequest::read(request).ok());
    let request = request.filter(|request| request.kind() == kind);
    request.unwrap_or_else(|| RunRequest::forgotten(kind))
}

fn written(value: &impl Serialize) -> rusqlite::Result<Value> {
    let written = serde_json::to_value(value);
    written.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn unreadable(column: usize, problem: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, problem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn history(folder: &Path) -> History {
        History::open(&folder.join("studio.db")).unwrap()
    }

    #[test]
    fn runs_are_kept_and_what_ran_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let first = history(folder.path());
        let request = json!({"kind": "merge", "recipe": "b", "name": "a"});
        let request = RunRequest::read(request).unwrap();
        let merge = first.add("Merge a", Some("a"), &request).unwrap();
        let pull = RunRequest::forgotten(RunKind::Pull);
        let pull = first.add("Pull b", Some("b"), &pull).unwrap();
        first.begin(merge).unwrap();
        let standing = Standing {
            stage: Some("merging".into()),
            done: 3,
            total: 9,
            tensors_done: Some(1),
            tensors: Some(2),
        };
        first.note(merge, &standing).unwrap();
        let line = LogLine {
            at: 1.5,
            text: "a line".into(),
        };
        assert!(first.log(merge, &line).unwrap());
        assert!(first.is_under_way(RunKind::Merge, "a").unwrap());
        drop(first);

        let second = history(folder.path());
        let run = second.get(merge).unwrap().unwrap();
        assert_eq!(run.state, RunState::Interrupted);
        assert_eq!((run.done, run.total, run.tensors), (3, 9, Some(2)));
        assert_eq!(run.request, request);
        assert!(run.ended >= run.started && run.started.is_some());
        assert_eq!(second.lines(merge).unwrap(), [line]);
        assert!(!second.is_under_way(RunKind::Merge, "a").unwrap());
        // what waited still waits
        assert_eq!(second.waiting(Lane::Network).unwrap(), [pull]);
        assert!(second.waiting(Lane::Compute).unwrap().is_empty());
        second.delete(merge).unwrap();
        assert_eq!(second.get(merge).unwrap(), None);
        assert!(second.lines(merge).unwrap().is_empty());
    }

    #[test]
    fn a_long_request_is_read_only_where_all_of_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path());
        let data = json!({"kind": "perplexity", "text": "word ".repeat(100_000)});
        let request = json!({"kind": "evaluate", "model": "a", "data": data});
        let request = RunRequest::read(request).unwrap();
        let id = history.add("a run", None, &request).unwrap();
        let filter = Filter {
            limit: 10,
            ..Filter::default()
        };
        let listed = history.list(&filter).unwrap().remove(0);
        for run in [listed, history.get(id).unwrap().unwrap()] {
            let RunRequest::Evaluate(request) = run.request else {
                panic!("another request");
            };
            assert!(request.data.text.unwrap().len() < 30_000);
        }
        // what is written while it is worked on is small too
        let size: i64 = history
            .connection
            .query_row("SELECT length(request) FROM runs", [], |row| row.get(0))
            .unwrap();
        assert!(size < 30_000, "{size}");
        assert_eq!(history.get_whole(id).unwrap().unwrap().request, request);
        history.delete(id).unwrap();
        let left: i64 = history
            .connection
            .query_row("SELECT count(*) FROM requests", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0);
    }

    #[test]
    fn lists_are_filtered_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path());
        for index in 0..5 {
            let kind = [RunKind::Merge, RunKind::Pull][index % 2];
            let request = RunRequest::forgotten(kind);
            history.add("a run", Some("a"), &request).unwrap();
        }
        let ids = |filter: &Filter| -> Vec<i64> {
            let found = history.list(filter).unwrap();
            found.iter().map(|run| run.id).collect()
        };
        let all = Filter {
            limit: 10,
            ..Filter::default()
        };
        assert_eq!(ids(&all), [5, 4, 3, 2, 1]);
        let merges = Filter {
            kind: Some(RunKind::Merge),
            before: Some(5),
            ..all.clone()
        };
        assert_eq!(ids(&merges), [3, 1]);
        let done = Filter {
            state: Some(RunState::Done),
            ..all
        };
        assert!(ids(&done).is_empty());
    }

    #[test]
    fn who_waits_again_waits_behind_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path());
        for _ in 0..2 {
            let request = RunRequest::forgotten(RunKind::Merge);
            history.add("a run", None, &request).unwrap();
        }
        assert_eq!(history.waiting(Lane::Compute).unwrap(), [1, 2]);
        history.begin(1).unwrap();
        let end = End {
            at: 12.5,
            state: RunState::Failed,
            error: Some(RunError {
                message: "full".into(),
                hints: vec!["free some".into()],
            }),
            result: None,
        };
        history.end(1, &end).unwrap();
        let run = history.get(1).unwrap().unwrap();
        assert_eq!((run.ended, run.error), (Some(12.5), end.error));
        history.queue_again(1).unwrap();
        assert_eq!(history.waiting(Lane::Compute).unwrap(), [2, 1]);
        assert_eq!(history.get(1).unwrap().unwrap().error, None);
    }

    #[test]
    fn what_this_program_does_not_know_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let history = history(folder.path());
        for kind in RunKind::ALL {
            let request = RunRequest::forgotten(kind);
            history.add("a run", None, &request).unwrap();
        }
        history
            .connection
            .execute_batch(
                "UPDATE runs SET request = '{\"kind\": \"merge\", \"recipe\": 3}', result = '[]' WHERE id = 1;
                 UPDATE runs SET kind = 'bake' WHERE id = 2;
                 UPDATE runs SET state = 'baked' WHERE id = 3;",
            )
            .unwrap();
        let all = Filter {
            limit: 10,
            ..Filter::default()
        };
        let runs = history.list(&all).unwrap();
        let ids: Vec<i64> = runs.iter().map(|run| run.id).collect();
        assert_eq!(ids, [5, 4, 3, 1]);
        assert_eq!(history.get(2).unwrap(), None);
        assert_eq!(runs[3].request, RunRequest::forgotten(RunKind::Merge));
        assert_eq!(runs[3].result, None);
        assert_eq!(runs[2].state, RunState::Interrupted);
    }
}

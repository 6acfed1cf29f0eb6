//! Keeps the write-ahead log small, and makes sure that what was erased leaves it.

use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a checkpoint waits for readers; their statements are short.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long the lane waits for a lock otherwise.
const BUSY: Duration = Duration::from_secs(5);
/// How soon a checkpoint that readers held up is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(100);

pub(super) struct Wal {
    path: PathBuf,
    limit: u64,
    /// The log may hold something that was erased.
    holds_erased: bool,
    last_try: Instant,
}

impl Wal {
    pub(super) const fn new(path: PathBuf, limit: u64, now: Instant) -> Self {
        Self { path, limit, holds_erased: false, last_try: now }
    }

    fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) const fn holds_erased(&self) -> bool {
        self.holds_erased
    }

    /// To be called after every commit.
    pub(super) fn after_commit(&mut self, connection: &Connection, erased: bool, now: Instant) {
        let retry = now.duration_since(self.last_try) >= RETRY;
        self.holds_erased |= erased;
        if erased || (retry && self.holds_erased) || (self.len() > self.limit && (retry || self.len() > 4 * self.limit))
        {
            self.write_back(connection, now);
        }
    }

    /// Writes the log back to the database file and empties it, as far as readers allow.
    pub(super) fn write_back(&mut self, connection: &Connection, now: Instant) {
        self.last_try = now;
        match checkpoint(connection) {
            Ok(true) => self.holds_erased = false,
            Ok(false) => tracing::debug!("readers held up a checkpoint"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a checkpoint failed"),
        }
    }
}

/// Whether the log is empty now. The first step copies while readers read on; after it new readers no longer need the log, so the
/// second waits only for the statements of that moment.
fn checkpoint(connection: &Connection) -> rusqlite::Result<bool> {
    let step = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, bool>(0));
    step("PRAGMA wal_checkpoint(PASSIVE)")?;
    connection.busy_timeout(PATIENCE)?;
    let busy = step("PRAGMA wal_checkpoint(TRUNCATE)");
    connection.busy_timeout(BUSY)?;
    Ok(!busy?)
}

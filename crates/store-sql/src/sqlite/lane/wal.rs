//! Keeps the write-ahead log small, and makes sure that what was erased leaves it.

use rusqlite::Connection;
use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a checkpoint waits for readers; their statements are short.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long the lane waits for a lock otherwise.
const BUSY: Duration = Duration::from_secs(5);
/// How soon a checkpoint that readers held up is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// A page and the header of its frame, as SQLite writes them to the log.
const FRAME_LEN: u64 = 4096 + 24;

thread_local! {
    /// How many frames of the log are in use, as SQLite tells it after each commit on this thread. The file may be longer: room that
    /// was written before is written over, which spares the file system the growing of a file at every commit.
    static FRAMES: Cell<u64> = const { Cell::new(0) };
}

/// How the log is left after a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// To be written over from the start.
    Reused,
    /// Empty.
    Truncated,
}

pub(super) struct Wal {
    path: PathBuf,
    limit: u64,
    /// The log may hold something that was erased.
    holds_erased: bool,
    last_try: Instant,
}

impl Wal {
    pub(super) const fn new(path: PathBuf, limit: u64, now: Instant) -> Self {
        // What was erased just before a crash may still be in it.
        Self { path, limit, holds_erased: true, last_try: now }
    }

    fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// How many bytes of the log are in use, as far as the commits on this thread tell.
    pub(super) fn used(&self) -> u64 {
        FRAMES.get() * FRAME_LEN
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) const fn holds_erased(&self) -> bool {
        self.holds_erased
    }

    /// Counts the frames that commits of this connection leave, on the thread that commits.
    pub(super) fn watch(connection: &Connection) {
        connection.wal_hook(Some(|_, frames| {
            FRAMES.set(u64::try_from(frames).unwrap_or_default());
            Ok(())
        }));
    }

    /// To be called after every commit, also after one that failed.
    pub(super) fn after_commit(&mut self, connection: &Connection, erased: bool, now: Instant) {
        let retry = now.duration_since(self.last_try) >= RETRY;
        let used = self.used();
        self.holds_erased |= erased;
        if erased || (retry && self.holds_erased) {
            self.write_back(connection, now);
        } else if used > self.limit && (retry || used > 4 * self.limit) {
            self.check_point(connection, Leave::Reused, now);
        }
    }

    /// Writes the log back to the database file and empties it, as far as readers allow.
    pub(super) fn write_back(&mut self, connection: &Connection, now: Instant) {
        self.check_point(connection, Leave::Truncated, now);
    }

    fn check_point(&mut self, connection: &Connection, leave: Leave, now: Instant) {
        self.last_try = now;
        match checkpoint(connection, leave) {
            Ok(true) => {
                FRAMES.set(0);
                self.holds_erased &= leave == Leave::Reused;
            }
            Ok(false) => tracing::debug!("readers held up a checkpoint"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a checkpoint failed"),
        }
    }
}

/// Whether the log was left so. The first step copies while readers read on; after it new readers no longer need the log, so the
/// second waits only for the statements of that moment.
fn checkpoint(connection: &Connection, leave: Leave) -> rusqlite::Result<bool> {
    let step = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, bool>(0));
    step("PRAGMA wal_checkpoint(PASSIVE)")?;
    connection.busy_timeout(PATIENCE)?;
    let busy = match leave {
        Leave::Reused => step("PRAGMA wal_checkpoint(RESTART)"),
        Leave::Truncated => step("PRAGMA wal_checkpoint(TRUNCATE)"),
    };
    connection.busy_timeout(BUSY)?;
    Ok(!busy?)
}

//! Writes the accesses that are pending in memory to their table: within a second, a small chunk per commit, sorted by id.
//!
//! A position in the audit log goes with them: the records up to it are reflected in the table. After a crash those behind it are read
//! again.

use crate::accesses::{AccessKey, Accesses};
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom_domain::audit::{Action, Outcome, ResourceKind};
use uuid::Uuid;

/// How many entries one commit writes at the most.
const CHUNK: usize = 256;
/// A round begins when the last one is so long ago and there is something to write …
const PERIOD: Duration = Duration::from_millis(500);
/// … or when so many entries wait …
const CROWD: usize = 4096;
/// … or so many records stand behind the position.
const DISTANCE: u64 = 16_384;

const POSITION: &str = "last-access";

pub(super) struct Flush {
    accesses: Arc<Accesses>,
    /// What is written of the round that is under way.
    round: Option<Round>,
    last_round: Instant,
    position: (i64, u64),
    chunk: Vec<(AccessKey, i64)>,
}

struct Round {
    after: Option<AccessKey>,
    /// The log's end when the round began.
    position: (i64, u64),
}

impl Flush {
    /// Reads the accesses behind the position again. What no server wrote so is passed over: it must keep nobody from starting.
    pub(super) fn open(connection: &Connection, accesses: Arc<Accesses>, now: Instant) -> rusqlite::Result<Self> {
        let position: (i64, u64) = connection
            .query_row(
                "SELECT stream, sequence FROM audit_positions AS noted
                 WHERE name = ?1 AND typeof(stream) = 'integer' AND stream BETWEEN 1 AND ?2
                   AND typeof(sequence) = 'integer' AND sequence BETWEEN 0 AND ?4
                   -- None is behind the last record; one of 0 may stand before the first.
                   AND (sequence = 0 OR EXISTS (SELECT 1 FROM audit_records
                                                WHERE position >= noted.stream * ?3 + noted.sequence
                                                  AND position <= noted.stream * ?3 + ?4))
                 ORDER BY stream DESC LIMIT 1",
                (POSITION, row::LAST_ORDINAL, row::position(1, 0), row::column(row::MAX_SEQUENCE)),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?
            .unwrap_or_default();
        let mut statement = connection.prepare(
            "SELECT resource_id, resource_version, at FROM audit_records
             WHERE position > ?1 AND action = ?2 AND outcome = ?3 AND resource_kind = ?4
               AND resource_id IN (SELECT id FROM secrets)",
        )?;
        let names = (Action::SecretValueRead.as_str(), Outcome::Success.as_str(), ResourceKind::Secret.as_str());
        let mut rows = statement.query((row::position(position.0, position.1), names.0, names.1, names.2))?;
        while let Some(row) = rows.next()? {
            if let (Ok(secret), Ok(version), Ok(at)) = (row.get::<_, Uuid>(0), row.get::<_, Option<u64>>(1), row.get(2))
            {
                accesses.touch(secret, version.unwrap_or(0), at);
            }
        }
        Ok(Self { accesses, round: None, last_round: now, position, chunk: Vec::new() })
    }

    /// Whether there is anything to write, now or soon.
    pub(super) fn is_wanted(&self) -> bool {
        self.round.is_some() || self.accesses.len() > 0
    }

    /// Whether the next commit should write a chunk.
    pub(super) fn is_due(&self, now: Instant, end: (i64, u64)) -> bool {
        let waiting = self.accesses.len();
        let distance = if end.0 == self.position.0 { end.1 - self.position.1 } else { u64::MAX };
        self.round.is_some()
            || waiting > CROWD
            || (waiting > 0 && now.duration_since(self.last_round) >= PERIOD)
            || (end.1 > 0 && distance > DISTANCE)
    }

    /// Begins a round with the next commit, however short ago the last one was.
    pub(super) fn hurry(&mut self, end: (i64, u64)) {
        self.round.get_or_insert(Round { after: None, position: end });
    }

    /// Writes a chunk inside a transaction; with the last one of a round the position.
    pub(super) fn write(&mut self, connection: &Connection, now: Instant, end: (i64, u64)) -> rusqlite::Result<()> {
        let round = self.round.get_or_insert(Round { after: None, position: end });
        self.chunk = self.accesses.chunk(round.after, CHUNK);
        let mut upsert = connection.prepare_cached(
            "INSERT INTO secret_access (secret, version, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (secret, version) DO UPDATE SET at = max(at, excluded.at)",
        )?;
        for ((secret, version), at) in &self.chunk {
            upsert.execute((secret, row::column(*version), at))?;
        }
        if self.chunk.len() < CHUNK {
            connection
                .prepare_cached(
                    "INSERT INTO audit_positions (name, stream, sequence) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name, stream) DO UPDATE SET sequence = excluded.sequence",
                )?
                .execute((POSITION, round.position.0, row::column(round.position.1)))?;
            self.last_round = now;
        }
        Ok(())
    }

    /// The chunk is durable.
    pub(super) fn committed(&mut self) {
        let Some(round) = &mut self.round else { return };
        self.accesses.flushed(&self.chunk);
        match self.chunk.last() {
            Some((key, _)) if self.chunk.len() == CHUNK => round.after = Some(*key),
            _ => {
                self.position = round.position;
                self.round = None;
            }
        }
        self.chunk.clear();
    }

    /// The chunk was rolled back; it is written again later.
    pub(super) fn rolled_back(&mut self, now: Instant) {
        self.round = None;
        self.last_round = now;
        self.chunk.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Flush, POSITION};
    use crate::accesses::Accesses;
    use crate::options::OpenOptions;
    use crate::row;
    use crate::sqlite::lane::now;
    use crate::sqlite::{SqliteStore, connect};
    use std::sync::Arc;

    #[tokio::test]
    async fn what_no_server_wrote_keeps_none_from_starting() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
        let _store = SqliteStore::open(options.clone()).await.expect("opens");
        let connection = connect::writer(&options).expect("opens");
        let open = || {
            let accesses = Arc::new(Accesses::default());
            let flush = Flush::open(&connection, Arc::clone(&accesses), now()).expect("opens");
            (flush.position, accesses.len())
        };
        let tell = |stream: &str, sequence: &str| {
            let sql = format!(
                "INSERT INTO audit_positions (name, stream, sequence) VALUES ('{POSITION}', {stream}, {sequence})"
            );
            connection.execute_batch(&sql).expect("told");
        };
        let (third, first) = (row::position(7, 3), row::position(8, 1));
        let planted = |position: String, version: &str, at: &str| {
            let sql = format!(
                "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status,
                                            resource_kind, resource_id, resource_version)
                 VALUES ({position}, 8, 1, x'', x'', {at}, x'', 'secret.value.read', 'success', 200, 'secret',
                         zeroblob(16), {version})"
            );
            connection.execute_batch(&sql).expect("planted");
        };
        tell("7", "3");
        assert_eq!(open(), ((0, 0), 0), "behind the last record");
        planted(third.to_string(), "1", "5");
        assert_eq!(open(), ((7, 3), 0));
        let too_far = (row::LAST_ORDINAL + 1).to_string();
        for stream in ["8.5", "'text'", "x'00'", "-1", &too_far] {
            tell(stream, "9");
        }
        let huge = i64::MAX.to_string();
        for (stream, sequence) in
            [("8", "-1"), ("9", "0.5"), ("10", "'text'"), ("11", "x'00'"), ("12", "1"), ("13", &huge)]
        {
            tell(stream, sequence);
        }
        assert_eq!(open(), ((7, 3), 0));

        // Accesses of a secret, behind the position.
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").expect("set");
        let secret = "INSERT INTO secrets (id, organisation, region, project, path, parent, name, key_id, metadata, latest, active,
                                           updated_at, object_version, revision, created_at)
                      VALUES (zeroblob(16), x'', x'', x'', '/a', '/', 'a', x'', x'', 1, 1, 0, 1, 1, 0)";
        connection.execute_batch(secret).expect("stored");
        let values =
            [("1", "5"), ("-1", "5"), ("0.5", "5"), ("'text'", "5"), ("2", "'text'"), ("3", "x''"), ("4", "0.5")];
        for (place, (version, at)) in values.iter().enumerate() {
            planted(format!("{first} + {place}"), version, at);
        }
        // Of one alone: the secret, and its version.
        assert_eq!(open(), ((7, 3), 2));
    }
}

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
    /// Reads the accesses behind the position again.
    pub(super) fn open(connection: &Connection, accesses: Arc<Accesses>, now: Instant) -> rusqlite::Result<Self> {
        let position: (i64, u64) = connection
            .query_row(
                "SELECT stream, sequence FROM audit_positions WHERE name = ?1 ORDER BY stream DESC LIMIT 1",
                [POSITION],
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
            let version: Option<u64> = row.get(1)?;
            accesses.touch(row.get::<_, Uuid>(0)?, version.unwrap_or(0), row.get(2)?);
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

//! Writes the accesses that are pending in memory to their table: within a second, in chunks, sorted by id, on a connection of its own.
//!
//! For each stream of the audit log a position goes with them: the records up to it are reflected in the table. At a start the records
//! behind the positions are read again, those of every stream, whoever wrote it: reading them twice does no harm.

use super::fault::bounded;
use super::session::Session;
use crate::accesses::{AccessKey, Accesses};
use crate::error::OpenError;
use crate::metrics::LaneMetrics;
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strongroom_domain::audit::{Action, Outcome, ResourceKind};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

/// How many entries one statement writes at the most.
const CHUNK: usize = 1024;
/// How often it looks whether there is something to write.
const PERIOD: Duration = Duration::from_millis(500);
/// After so many periods without an access the positions are written by themselves, so that a start reads few records.
const IDLE_PERIODS: u32 = 20;

/// How many streams one statement looks at when the store starts, and how many records one reads again.
const STREAMS: i64 = 1_000;
const RECORDS: i64 = 100_000;

const POSITION: &str = "last-access";

/// Answered when what was pending is written, with whether it was.
pub(in crate::postgres) type FlushCall = oneshot::Sender<bool>;

/// How far streams have come, as far as the table of positions may not tell it yet: ordinals and sequences.
#[derive(Default)]
pub(in crate::postgres) struct Positions(Mutex<BTreeMap<i64, u64>>);

impl Positions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called when the accesses up to there are pending in memory.
    pub(super) fn note(&self, ordinal: i64, sequence: u64) {
        self.lock().insert(ordinal, sequence);
    }

    fn written(&self, written: &BTreeMap<i64, u64>) {
        self.lock().retain(|ordinal, sequence| written.get(ordinal) != Some(sequence));
    }
}

pub(in crate::postgres) struct Flush {
    session: Session,
    accesses: Arc<Accesses>,
    positions: Arc<Positions>,
    metrics: LaneMetrics,
}

impl Flush {
    pub(in crate::postgres) fn new(session: Session, accesses: Arc<Accesses>, positions: Arc<Positions>) -> Self {
        Self { session, accesses, positions, metrics: LaneMetrics::new() }
    }

    /// Reads the accesses behind the positions again.
    pub(in crate::postgres) async fn recover(&mut self) -> Result<(), OpenError> {
        let mut connection = self.session.take().await?;
        let limit = self.session.limit();
        let mut after = -1;
        loop {
            let streams = bounded(limit, unreflected(&mut connection, after)).await?;
            for (ordinal, reflected, end) in streams.iter().copied() {
                // No server wrote another.
                let mut from = if (0..=end.unwrap_or(0)).contains(&reflected) { reflected } else { 0 };
                // A stream may be long, and each statement must end in time.
                while let Some(end) = end.filter(|end| from < *end) {
                    // By records, not by numbers: one that was planted far ahead would have nothing before it.
                    let to = bounded(limit, nth(&mut connection, ordinal, from)).await?.unwrap_or(end);
                    for (secret, version, at) in bounded(limit, read(&mut connection, ordinal, from, to)).await? {
                        let version = version.and_then(|version| u64::try_from(version).ok());
                        self.accesses.touch(secret, version.unwrap_or(0), at);
                    }
                    self.positions.note(ordinal, u64::try_from(to).unwrap_or(0));
                    from = to;
                }
            }
            match streams.last() {
                Some((last, ..)) => after = *last,
                None => break,
            }
        }
        self.session.keep(connection);
        Ok(())
    }

    /// Works until nobody can call any more, and what was pending is written.
    pub(in crate::postgres) async fn run(mut self, mut calls: mpsc::UnboundedReceiver<FlushCall>) {
        let mut idle = 0;
        loop {
            let call = match timeout(PERIOD, calls.recv()).await {
                Ok(Some(call)) => Some(call),
                Ok(None) => break,
                Err(_) => None,
            };
            idle += 1;
            let waiting = self.accesses.len() as u64;
            self.metrics.accesses.to(waiting);
            let mut written = true;
            if call.is_some() || waiting > 0 || idle > IDLE_PERIODS {
                idle = 0;
                written = self.write().await;
                self.metrics.accesses.to(self.accesses.len() as u64);
            }
            if let Some(call) = call {
                let _ = call.send(written);
            }
        }
        self.write().await;
    }

    /// Whether what was pending is written.
    async fn write(&mut self) -> bool {
        // Before the accesses are looked at: those that come meanwhile are behind these positions.
        let positions = self.positions.lock().clone();
        if positions.is_empty() && self.accesses.len() == 0 {
            return true;
        }
        let written = match self.session.take().await {
            Ok(mut connection) => match self.write_all(&mut connection, &positions).await {
                Ok(()) => {
                    self.session.keep(connection);
                    Ok(())
                }
                Err(error) => Err(OpenError::from(error)),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = &written {
            tracing::warn!(error = error as &dyn std::error::Error, "the times of last accesses could not be written");
        }
        written.is_ok()
    }

    async fn write_all(
        &self,
        connection: &mut PgConnection,
        positions: &BTreeMap<i64, u64>,
    ) -> Result<(), sqlx::Error> {
        let limit = self.session.limit();
        let mut after = None;
        loop {
            let chunk = self.accesses.chunk(after, CHUNK);
            let Some((last, _)) = chunk.last() else { break };
            bounded(limit, write_chunk(connection, &chunk)).await?;
            self.accesses.flushed(&chunk);
            after = Some(*last);
            if chunk.len() < CHUNK {
                break;
            }
        }
        if !positions.is_empty() {
            bounded(limit, write_positions(connection, positions)).await?;
            self.positions.written(positions);
        }
        Ok(())
    }
}

/// How far the next streams are reflected, and where they end: ordinal, position, end.
async fn unreflected(connection: &mut PgConnection, after: i64) -> Result<Vec<(i64, i64, Option<i64>)>, sqlx::Error> {
    // No position is behind the last one of the last stream, which is the largest number there is.
    sqlx::query_as(
        "SELECT streams.ordinal, coalesce(positions.sequence, 0),
                (SELECT records.position FROM audit_records AS records
                 WHERE records.position > streams.ordinal * $2 AND records.position <= streams.ordinal * $2 + ($2 - 1)
                 ORDER BY records.position DESC LIMIT 1) - streams.ordinal * $2
         FROM audit_streams AS streams
         LEFT JOIN audit_positions AS positions ON positions.name = $1 AND positions.stream = streams.ordinal
         WHERE streams.ordinal > $3 AND streams.ordinal <= $5 ORDER BY streams.ordinal LIMIT $4",
    )
    .bind(POSITION)
    .bind(row::position(1, 0))
    .bind(after)
    .bind(STREAMS)
    .bind(row::LAST_ORDINAL)
    .fetch_all(connection)
    .await
}

/// The sequence that so many records after `from` has; `None` when there are fewer.
async fn nth(connection: &mut PgConnection, ordinal: i64, from: i64) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT position - $1 FROM audit_records WHERE position > $1 + $2 AND position <= $1 + ($3 - 1)
         ORDER BY position OFFSET $4 LIMIT 1",
    )
    .bind(row::position(ordinal, 0))
    .bind(from)
    .bind(row::position(1, 0))
    .bind(RECORDS - 1)
    .fetch_optional(connection)
    .await
}

/// When which secrets and versions were last accessed, by the records of a part of a stream.
async fn read(
    connection: &mut PgConnection,
    ordinal: i64,
    from: i64,
    to: i64,
) -> Result<Vec<(Uuid, Option<i64>, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT resource_id, resource_version, max(at) FROM audit_records
         WHERE position > $1 AND position <= $2 AND action = $3 AND outcome = $4 AND resource_kind = $5
           AND resource_id IN (SELECT id FROM secrets)
         GROUP BY resource_id, resource_version",
    )
    .bind(row::position(ordinal, 0).saturating_add(from))
    .bind(row::position(ordinal, 0).saturating_add(to))
    .bind(Action::SecretValueRead.as_str())
    .bind(Outcome::Success.as_str())
    .bind(ResourceKind::Secret.as_str())
    .fetch_all(connection)
    .await
}

/// A secret that another node deletes at this moment may leave its row behind: an id that never comes again, and a time.
async fn write_chunk(connection: &mut PgConnection, chunk: &[(AccessKey, i64)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO secret_access (secret, version, at)
         SELECT secret, version, at FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS access (secret, version, at)
         WHERE EXISTS (SELECT FROM secrets WHERE id = secret) ORDER BY secret, version
         ON CONFLICT (secret, version) DO UPDATE SET at = excluded.at WHERE secret_access.at < excluded.at",
    )
    .bind(chunk.iter().map(|((secret, _), _)| *secret).bind_iter())
    .bind(chunk.iter().map(|((_, version), _)| row::column(*version)).bind_iter())
    .bind(chunk.iter().map(|(_, at)| *at).bind_iter())
    .execute(connection)
    .await
    .map(|_| ())
}

/// Where one goes back because another node wrote at the same time, some records are read again.
async fn write_positions(connection: &mut PgConnection, positions: &BTreeMap<i64, u64>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_positions (name, stream, sequence)
         SELECT $1, stream, sequence FROM unnest($2::bigint[], $3::bigint[]) AS position (stream, sequence) ORDER BY stream
         ON CONFLICT (name, stream) DO UPDATE SET sequence = excluded.sequence
         WHERE audit_positions.sequence < excluded.sequence
            OR audit_positions.sequence > (SELECT records.position FROM audit_records AS records
                                           WHERE records.position > excluded.stream * $4
                                             AND records.position <= excluded.stream * $4 + ($4 - 1)
                                           ORDER BY records.position DESC LIMIT 1) - excluded.stream * $4",
    )
    .bind(POSITION)
    .bind(positions.keys().copied().bind_iter())
    .bind(positions.values().map(|sequence| row::column(*sequence)).bind_iter())
    .bind(row::position(1, 0))
    .execute(connection)
    .await
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn a_position_that_moved_on_is_written_again() {
        let positions = Positions::default();
        positions.note(1, 5);
        positions.note(2, 7);
        let written = positions.lock().clone();
        positions.note(2, 8);
        positions.written(&written);
        assert_eq!(*positions.lock(), [(2, 8)].into());
    }
}

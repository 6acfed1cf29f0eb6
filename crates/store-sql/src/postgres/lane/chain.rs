//! A lane's audit stream. It begins with the lane's first record, and never goes on after a restart.

use super::record::Record;
use crate::postgres::failure::{NoFreePlace, StreamsUsedUp};
use crate::row;
use sqlx::PgConnection;
use std::sync::{Arc, OnceLock};
use strongroom_domain::audit::{ChainHash, ChainState, Signature};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{AuditSigner, IdGenerator};

/// How many places are looked at in a row for one that nobody else has put anything into.
const LOOKED_AT: usize = 1_000;

/// A row for the stream at the next place, and whether there are records or positions at that place already, which would count for it; no row
/// where that place has a stream. The last position of the last stream is the largest number there is.
const BEGIN: &str = "INSERT INTO audit_streams (id) VALUES ($1) ON CONFLICT (ordinal) DO NOTHING
     RETURNING ordinal, CASE WHEN ordinal BETWEEN 1 AND $2
         THEN EXISTS (SELECT FROM audit_records AS records
                      WHERE records.position > ordinal * $3 AND records.position <= ordinal * $3 + ($3 - 1))
           OR EXISTS (SELECT FROM audit_positions AS positions WHERE positions.stream = ordinal)
         ELSE false END";

/// How far the stream has come.
pub(super) struct Chain {
    signer: Arc<dyn AuditSigner>,
    ids: Arc<dyn IdGenerator>,
    /// The stream's place among all; `None` until its first record is durable.
    ordinal: Option<i64>,
    /// The place that the database gave it, perhaps in a transaction that failed. There are not so many that each try could take another.
    given: OnceLock<i64>,
    /// As it stands in the database.
    durable: ChainState,
}

/// The records of a batch at their places, the last one signed.
pub(super) struct Links<'r> {
    pub(super) before: ChainState,
    after: ChainState,
    pub(super) hashes: Vec<ChainHash>,
    pub(super) records: Vec<&'r Record>,
    pub(super) signature: Option<Signature>,
}

impl Chain {
    pub(super) fn new(signer: Arc<dyn AuditSigner>, ids: Arc<dyn IdGenerator>) -> Self {
        let durable = ChainState::begin(StreamId::new(ids.next()));
        Self { signer, ids, ordinal: None, given: OnceLock::new(), durable }
    }

    pub(super) const fn ordinal(&self) -> Option<i64> {
        self.ordinal
    }

    /// The stream's place among the streams, and the sequence of its last durable record; `None` before the first.
    pub(super) fn position(&self) -> Option<(i64, u64)> {
        self.ordinal.map(|ordinal| (ordinal, self.durable.sequence))
    }

    /// Puts records behind those that are durable.
    pub(super) fn link<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Links<'r> {
        let records: Vec<&Record> = records.collect();
        let mut after = self.durable;
        let mut hashes = Vec::with_capacity(records.len());
        for record in &records {
            after = after.after(&record.canonical);
            hashes.push(after.hash);
        }
        let signature = (!records.is_empty()).then(|| self.signer.sign(&after.signed_bytes()));
        Links { before: self.durable, after, hashes, records, signature }
    }

    /// Gives the stream its row, in the open transaction; answers with its place among the streams.
    pub(super) async fn begin(&self, connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
        let stream = self.durable.stream.uuid();
        if let Some(ordinal) = self.given.get() {
            let again =
                sqlx::query("INSERT INTO audit_streams (ordinal, id) VALUES ($1, $2)").bind(ordinal).bind(stream);
            again.execute(connection).await?;
            return Ok(*ordinal);
        }
        for _ in 0..LOOKED_AT {
            let begun: Option<(i64, bool)> = sqlx::query_as(BEGIN)
                .bind(stream)
                .bind(row::LAST_ORDINAL)
                .bind(row::position(1, 0))
                .fetch_optional(&mut *connection)
                .await?;
            // Somebody else took that place.
            let Some((ordinal, is_told_of)) = begun else { continue };
            if ordinal > row::LAST_ORDINAL {
                return Err(sqlx::Error::AnyDriverError(StreamsUsedUp.into()));
            }
            if !is_told_of {
                return Ok(*self.given.get_or_init(|| ordinal));
            }
            sqlx::query("DELETE FROM audit_streams WHERE id = $1").bind(stream).execute(&mut *connection).await?;
        }
        Err(sqlx::Error::AnyDriverError(NoFreePlace.into()))
    }

    /// The batch is durable.
    pub(super) fn committed(&mut self, ordinal: i64, after: ChainState) {
        self.ordinal = Some(ordinal);
        self.durable = after;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.durable.sequence >= row::LAST_SEQUENCE
    }

    /// The positions behind that of the last durable record, of this many records: the one before the first, and the last. `None` when the
    /// stream never had a place.
    pub(super) fn places(&self, records: usize) -> Option<(i64, i64)> {
        let ordinal = self.ordinal.or_else(|| self.given.get().copied())?;
        let last = self.durable.sequence.saturating_add(records as u64).min(row::MAX_SEQUENCE);
        Some((row::position(ordinal, self.durable.sequence), row::position(ordinal, last)))
    }

    /// This stream ends, and another begins: it is full, or somebody else wrote into it, or a batch may be in it, and its records, if they are there,
    /// end it. Gives the one that ends.
    pub(super) fn abandon(&mut self) -> Self {
        let next = Self::new(Arc::clone(&self.signer), Arc::clone(&self.ids));
        std::mem::replace(self, next)
    }
}

impl Links<'_> {
    pub(super) const fn after(&self) -> ChainState {
        self.after
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

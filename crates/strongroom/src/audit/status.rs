//! How the audit log is.

use super::verify;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::system::{Operation, OperatorSession};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::{Action, LogReader, SinkName};
use strongroom_domain::port::StoredCheckpoint;
use strongroom_domain::time::Timestamp;

/// How many streams are read at once.
const STREAMS: u32 = 1_000;
/// The most checkpoints that are told at once.
pub const MAX_CHECKPOINTS_AT_ONCE: u32 = 1_000;

/// The sinks that this node sends the log to.
#[derive(Default)]
pub(crate) struct SinkNames(Mutex<BTreeSet<SinkName>>);

impl SinkNames {
    fn all(&self) -> Vec<SinkName> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// How the audit log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditStatus {
    /// How many streams there are.
    pub streams: u64,
    /// How many records there are, without those that were removed.
    pub records: u64,
    /// How many records the index does not have yet.
    pub unindexed: u64,
    /// How many records no checkpoint tells of yet.
    pub unchecked: u64,
    /// The last checkpoint: its number, when it was made, and the newest key that is known.
    pub checkpoint: Option<(u64, Timestamp, u32)>,
    /// The sinks of this node, and how many records each has not had.
    pub sinks: Vec<(SinkName, u64)>,
}

impl Engine {
    /// Tells which sinks this node has, for [`audit_status`](Self::audit_status).
    pub fn note_audit_sinks(&self, names: impl IntoIterator<Item = SinkName>) {
        self.sink_names.0.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// How the audit log is.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn audit_status(&self, session: &OperatorSession) -> Result<AuditStatus, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemAuditRead };
        let status = self.read_audit_status().await;
        operation.told(None, verify::resource(), status).await
    }

    /// The checkpoints after this number, in order: at most `limit`, 1 to [`MAX_CHECKPOINTS_AT_ONCE`].
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for another limit, and those of the store.
    pub async fn audit_checkpoints(
        &self,
        session: &OperatorSession,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredCheckpoint>, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemAuditRead };
        let checkpoints = if (1..=MAX_CHECKPOINTS_AT_ONCE).contains(&limit) {
            self.ports.audit.checkpoints(after, limit).await.map_err(Error::from)
        } else {
            Err(Error::new(Code::InvalidRequest, format!("`limit`: 1 to {MAX_CHECKPOINTS_AT_ONCE}.")))
        };
        operation.told(None, verify::resource(), checkpoints).await
    }

    async fn read_audit_status(&self) -> Result<AuditStatus, Error> {
        let last = self.ports.audit.last_checkpoint().await?.and_then(|last| last.read()).map(|last| last.checkpoint);
        let mut sinks = Vec::new();
        for name in self.sink_names.all() {
            let lag = self.lag(&LogReader::Sink(name.clone())).await?;
            sinks.push((name, lag));
        }
        Ok(AuditStatus {
            streams: self.ports.audit.streams().await?.len() as u64,
            // A stream keeps its last record, so what was not removed is what retention has not had.
            records: self.lag(&LogReader::Retention).await?,
            unindexed: self.lag(&LogReader::Index).await?,
            unchecked: self.lag(&LogReader::Checkpoints).await?,
            checkpoint: last.map(|last| (last.number, last.at, last.newest_key)),
            sinks,
        })
    }

    /// How many records a reader has not had.
    async fn lag(&self, reader: &LogReader) -> Result<u64, Error> {
        let (mut records, mut after) = (0, None);
        loop {
            let page = self.ports.audit.behind(reader, after, STREAMS).await?;
            records += page.iter().map(|behind| behind.end.saturating_sub(behind.through)).sum::<u64>();
            match page.last() {
                Some(last) if page.len() >= STREAMS as usize => after = Some(last.stream),
                _ => return Ok(records),
            }
        }
    }
}

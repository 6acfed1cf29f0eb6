//! The whole log, taken out as it lies in the store, to be verified elsewhere.

use super::verify;
use crate::engine::Engine;
use crate::error::Error;
use crate::system::{Operation, OperatorSession};
use std::collections::VecDeque;
use strongroom_domain::audit::{Action, AuditKey, Link};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::StoredCheckpoint;
use strongroom_domain::time::Timestamp;

/// How many checkpoints or records are read at once.
const AT_ONCE: u32 = 500;

/// The next part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPart {
    /// Checkpoints, which come before the records.
    pub checkpoints: Vec<StoredCheckpoint>,
    /// Records of a stream, in order.
    pub records: Option<(StreamId, Vec<Link>)>,
}

/// The whole log on its way out: first the checkpoints, then the streams, one after the other. Checkpoints that are written meanwhile come
/// before the records of which they tell that those before them were removed.
#[derive(Clone, Debug)]
pub struct WholeAudit {
    begun_at: Timestamp,
    keys: Vec<AuditKey>,
    checkpoint: u64,
    had_checkpoints: bool,
    /// The stream, the last record that was taken out, and whether that was its last.
    stream: Option<(StreamId, u64, bool)>,
    /// The streams after it, as far as they are known.
    to_come: VecDeque<StreamId>,
}

impl Engine {
    /// Begins to take the whole log out. That it was begun is recorded.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn export_whole_audit(&self, session: &OperatorSession) -> Result<WholeAudit, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemAuditExport };
        let keys = self.audit_public_keys().await;
        let keys = operation.told(None, verify::resource(), keys).await?;
        Ok(WholeAudit {
            begun_at: self.ports.clock.now(),
            keys,
            checkpoint: 0,
            had_checkpoints: false,
            stream: None,
            to_come: VecDeque::new(),
        })
    }
}

impl WholeAudit {
    /// When it was begun.
    #[must_use]
    pub const fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// The public parts of the keys that sign the log, as the store has them.
    #[must_use]
    pub fn keys(&self) -> &[AuditKey] {
        &self.keys
    }

    /// The next part; `None` after the last.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next(&mut self, engine: &Engine) -> Result<Option<AuditPart>, Error> {
        if !self.had_checkpoints {
            let (checkpoints, is_last) = self.checkpoints(engine).await?;
            self.had_checkpoints = is_last;
            return Ok(Some(AuditPart { checkpoints, records: None }));
        }
        let (stream, after) = match self.stream {
            Some((stream, after, false)) => (stream, after),
            _ => match self.next_stream(engine).await? {
                Some(next) => (next, 0),
                None => return Ok(None),
            },
        };
        let mut records = engine.ports.audit.links(stream, after, AT_ONCE).await?;
        let mut part = AuditPart::default();
        // Where records are gone, a checkpoint said so before. The same checkpoints may tell how far the stream has come by now: so that
        // nothing seems to be cut off, its records are read after them.
        while records.first().is_some_and(|first| first.sequence > after + 1) {
            let known = part.checkpoints.len();
            let mut is_last = false;
            while !is_last {
                let checkpoints;
                (checkpoints, is_last) = self.checkpoints(engine).await?;
                part.checkpoints.extend(checkpoints);
            }
            if part.checkpoints.len() == known {
                break;
            }
            records = engine.ports.audit.links(stream, after, AT_ONCE).await?;
        }
        let last = records.last().map_or(after, |last| last.sequence);
        self.stream = Some((stream, last, records.len() < AT_ONCE as usize));
        part.records = Some((stream, records));
        Ok(Some(part))
    }

    /// The stream after this one; `None` after the last.
    async fn next_stream(&mut self, engine: &Engine) -> Result<Option<StreamId>, Error> {
        if self.to_come.is_empty() {
            // All of them at first, and then those that began meanwhile.
            let all = engine.ports.audit.streams().await?;
            let had = self.stream.and_then(|(had, ..)| all.iter().position(|stream| *stream == had));
            self.to_come = all.into_iter().skip(had.map_or(0, |at| at + 1)).collect();
        }
        Ok(self.to_come.pop_front())
    }

    async fn checkpoints(&mut self, engine: &Engine) -> Result<(Vec<StoredCheckpoint>, bool), Error> {
        let checkpoints = engine.ports.audit.checkpoints(self.checkpoint, AT_ONCE).await?;
        self.checkpoint = checkpoints.last().map_or(self.checkpoint, |last| last.number);
        let is_last = checkpoints.len() < AT_ONCE as usize;
        Ok((checkpoints, is_last))
    }
}

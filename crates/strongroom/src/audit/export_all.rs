//! The whole log, taken out as it lies in the store, to be verified elsewhere.

use super::export::{LOOKS, REST};
use super::verify;
use crate::engine::Engine;
use crate::error::Error;
use crate::system::{Operation, OperatorSession};
use std::collections::{HashSet, VecDeque};
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
/// before the records of which they tell that those before them were removed, and before those that a key signed which they make known.
#[derive(Clone, Debug)]
pub struct WholeAudit {
    begun_at: Timestamp,
    keys: Vec<AuditKey>,
    checkpoint: u64,
    had_checkpoints: bool,
    /// The newest key that the checkpoints so far make known.
    known_key: u32,
    /// The stream, the last record that was taken out, and whether that was its last.
    stream: Option<(StreamId, u64, bool)>,
    /// The streams after it, as far as they are known.
    to_come: VecDeque<StreamId>,
    /// All that are known.
    known: HashSet<StreamId>,
}

impl Engine {
    /// Begins to take the whole log out. That it was begun is recorded. Of a log without checkpoints the first is made, since it alone says
    /// which key signs; where another node is at it, this waits for it up to five seconds.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn export_whole_audit(&self, session: &OperatorSession) -> Result<WholeAudit, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemAuditExport };
        let keys = self.audit_public_keys().await;
        let keys = operation.told(None, verify::resource(), keys).await?;
        self.see_to_a_checkpoint().await?;
        Ok(WholeAudit {
            begun_at: self.ports.clock.now(),
            keys,
            checkpoint: 0,
            had_checkpoints: false,
            known_key: 0,
            stream: None,
            to_come: VecDeque::new(),
            known: HashSet::new(),
        })
    }

    async fn see_to_a_checkpoint(&self) -> Result<(), Error> {
        if self.ports.audit_keys.is_none() {
            return Ok(());
        }
        for _ in 0..LOOKS {
            // What keeps one from being made is in the log, so it is to be taken out all the more.
            if self.ports.audit.last_checkpoint().await?.is_some() || self.checkpoint_audit().await.is_err() {
                break;
            }
            self.ports.clock.sleep(REST).await;
        }
        Ok(())
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
        // Where records are gone, a checkpoint said so before, as one made a key known before that signed. The same checkpoints may tell how
        // far the stream has come by now: so that nothing seems to be cut off, its records are read after them.
        while self.wants_checkpoints(after, &records) {
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

    /// Whether checkpoints that are not out yet may tell of these records after that one.
    fn wants_checkpoints(&self, after: u64, records: &[Link]) -> bool {
        let signed_by = |link: &Link| link.signature.as_ref().map_or(0, |(version, _)| *version);
        records.first().is_some_and(|first| first.sequence > after + 1)
            || records.iter().any(|link| signed_by(link) > self.known_key)
    }

    /// The stream after this one; `None` after the last.
    async fn next_stream(&mut self, engine: &Engine) -> Result<Option<StreamId>, Error> {
        if self.to_come.is_empty() {
            // All of them at first, and then those that began meanwhile, wherever they stand among the others.
            let all = engine.ports.audit.streams().await?;
            self.to_come = all.into_iter().filter(|stream| self.known.insert(*stream)).collect();
        }
        Ok(self.to_come.pop_front())
    }

    async fn checkpoints(&mut self, engine: &Engine) -> Result<(Vec<StoredCheckpoint>, bool), Error> {
        let checkpoints = engine.ports.audit.checkpoints(self.checkpoint, AT_ONCE).await?;
        self.checkpoint = checkpoints.last().map_or(self.checkpoint, |last| last.number);
        let known = checkpoints.iter().filter_map(StoredCheckpoint::read).map(|read| read.checkpoint.newest_key);
        self.known_key = known.fold(self.known_key, u32::max);
        let is_last = checkpoints.len() < AT_ONCE as usize;
        Ok((checkpoints, is_last))
    }
}

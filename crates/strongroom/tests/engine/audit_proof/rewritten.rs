//! A log that somebody wrote anew who has the key: each record follows from the one before and is signed, and so is the last checkpoint.

use super::{Log, Node, STREAM};
use async_trait::async_trait;
use std::sync::Arc;
use strongroom::domain::audit::{AuditRecord, ChainState, Checkpoint, Finding, FindingKind, Link, signed_bytes};
use strongroom::domain::id::StreamId;
use strongroom::domain::port::{AuditReader, AuditSigner, ReadError, StoredCheckpoint};
use strongroom_testkit::{AlterLog, AlteredLog};

struct Rewritten {
    inner: Arc<dyn AuditReader>,
    links: Vec<Link>,
    checkpoints: Vec<StoredCheckpoint>,
}

#[async_trait]
impl AlterLog for Rewritten {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn links(&self, _: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        let links = self.links.iter().filter(|link| link.sequence > after);
        Ok(links.take(limit as usize).cloned().collect())
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        let all = self.checkpoints.iter().filter(|stored| stored.number > after);
        Ok(all.take(limit as usize).cloned().collect())
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        Ok(self.checkpoints.last().cloned())
    }
}

/// How many checkpoints there are. Each tells of so many records more.
const CHECKPOINTS: u64 = 4;
const APART: u64 = 3;

async fn written() -> (Log, Node) {
    let log = Log::new().await;
    let node = log.node().await;
    log.written_by(&node);
    for _ in 0..CHECKPOINTS {
        log.write(APART as usize).await;
        node.checkpoint().await.expect("written");
    }
    node.index().await;
    (log, node)
}

/// The log, with the records from one on and the checkpoints from one on as nobody wrote them; nothing that the index has differs.
async fn rewrite(log: &Log, with: &dyn AuditSigner, record: u64, checkpoint: u64) -> Rewritten {
    let mut links = log.store.links(STREAM, 0, 1_000).await.expect("readable");
    let mut state = ChainState::begin(STREAM);
    let mut states = vec![state];
    for link in &mut links {
        if link.sequence >= record {
            let mut changed = AuditRecord::from_canonical(&link.canonical).expect("sound");
            changed.decided_by = Some("nobody".to_owned());
            link.canonical = changed.to_canonical();
        }
        state = state.after(&link.canonical);
        states.push(state);
        link.hash = state.hash.to_vec();
        if link.signature.is_some() {
            let signature = with.sign(&signed_bytes(STREAM, link.sequence, &state.hash));
            link.signature = Some((signature.key_version, signature.bytes.to_vec()));
        }
    }
    let mut checkpoints = log.stored_checkpoints().await;
    let mut previous = [0; 32];
    for stored in &mut checkpoints {
        let mut made = Checkpoint::from_canonical(&stored.canonical).expect("sound");
        if made.number >= checkpoint {
            made.previous = previous;
            for end in &mut made.ends {
                *end = states[usize::try_from(end.sequence).expect("few")];
            }
            let signature = with.sign(&made.signed_bytes());
            stored.canonical = made.to_canonical();
            stored.signature = (signature.key_version, signature.bytes.to_vec());
        }
        previous = made.hash();
    }
    Rewritten { inner: log.ports.audit.clone(), links, checkpoints }
}

#[tokio::test]
async fn a_stream_that_was_written_anew_is_not_what_checkpoints_told_of_it() {
    let (mut log, node) = written().await;
    let (original, anchors) = (log.ports.audit.clone(), log.stored_checkpoints().await);
    let differs = |number: u64| Finding {
        checkpoint: Some(number),
        ..Finding::at_record(FindingKind::CheckpointDiffers, STREAM, number * APART)
    };
    // Whatever is written anew after it: each checkpoint that was left tells, and no other.
    for first in 1..=CHECKPOINTS * APART {
        for kept in 0..CHECKPOINTS {
            log.ports.audit = Arc::new(AlteredLog(Arc::new(rewrite(&log, &*node.keys, first, kept + 1).await)));
            let told: Vec<Finding> = (1..=kept).filter(|number| number * APART >= first).map(differs).collect();
            let reader = log.node().await;
            for limit in [1, 2, 5, 500] {
                assert_eq!(reader.verify(None, limit).await, told, "from {first} on, {kept} kept, {limit} at once");
            }
            // Where none is left that tells, one that was kept elsewhere does.
            let anchor = &anchors[usize::try_from(kept).expect("few")];
            let found = reader.verify(Some(anchor), 500).await;
            let is_same = (kept + 1) * APART < first;
            let anchored = found.first().map(|it| it.kind) == Some(FindingKind::AnchorDiffers);
            assert_eq!(anchored, !is_same, "from {first} on, {kept} kept: {found:?}");
            log.ports.audit = original.clone();
        }
    }
}

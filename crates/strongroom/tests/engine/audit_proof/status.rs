use super::{DAY, Log, Node};
use crate::support::code;
use strongroom::Code;
use strongroom::audit::{AuditStatus, MAX_CHECKPOINTS_AT_ONCE};
use strongroom::domain::audit::{LogReader, SinkName};
use strongroom::domain::port::{AuditReader, Clock, Committer};
use strongroom::domain::unit::{Change, Unit};

async fn status(node: &Node) -> AuditStatus {
    node.engine.audit_status(&node.session).await.expect("known")
}

fn counts(status: &AuditStatus) -> [u64; 4] {
    [status.streams, status.records, status.unindexed, status.unchecked]
}

#[tokio::test]
async fn it_tells_how_far_each_reader_is() {
    let log = Log::new().await;
    let node = log.node().await;
    let empty = status(&node).await;
    assert_eq!((counts(&empty), empty.checkpoint, &empty.sinks), ([1, 0, 0, 0], None, &vec![]));
    // Asking left a record.
    log.write(4).await;
    assert_eq!(counts(&status(&node).await), [1, 5, 5, 5]);
    node.engine.index_audit(2).await.expect("indexes");
    assert_eq!(counts(&status(&node).await), [1, 6, 4, 6]);
    node.checkpoint().await.expect("written");
    let told = status(&node).await;
    assert_eq!((counts(&told), told.checkpoint), ([1, 7, 5, 0], Some((1, log.clock.now(), 1))));

    let names = ["b", "a"].map(|name| SinkName::new(name).expect("a name"));
    node.engine.note_audit_sinks(names.clone());
    node.engine.note_audit_sinks(names.clone());
    let reader = LogReader::Sink(names[1].clone());
    let change = Change::AdvanceReader { reader, stream: super::STREAM, through: 3 };
    log.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("stored");
    let told = status(&node).await;
    let [b, a] = names;
    assert_eq!(told.sinks, [(a, 5), (b, 8)]);
    assert_eq!(log.node().await.engine.audit_status(&node.session).await.expect("known").sinks, []);
}

#[tokio::test]
async fn what_retention_removed_does_not_count() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(9).await;
    log.advance(2 * DAY);
    node.index().await;
    node.checkpoint().await.expect("written");
    // Each removal leaves a record, so that the last one of the others can go as well.
    assert_eq!(node.engine.retain_audit(1, &[]).await.expect("retains").removed, 9);
    let records = log.store.records(super::STREAM, 0, 100).await.expect("readable").len() as u64;
    let told = status(&node).await;
    assert_eq!((counts(&told), records), ([1, 2, 2, 2], 2));
    assert_eq!(told.checkpoint.map(|(number, _, _)| number), Some(3));
}

#[tokio::test]
async fn checkpoints_are_told_in_pages() {
    let log = Log::new().await;
    let node = log.node().await;
    for _ in 0..5 {
        log.write(1).await;
        node.checkpoint().await.expect("written");
    }
    let stored = log.stored_checkpoints().await;
    let page = async |after, limit| node.engine.audit_checkpoints(&node.session, after, limit).await;
    assert_eq!(page(0, 1_000).await.expect("told"), stored);
    assert_eq!(page(2, 2).await.expect("told"), stored[2..4]);
    for after in [5, 6, u64::MAX] {
        assert_eq!(page(after, 1).await.expect("told"), [], "{after}");
    }
    for limit in [0, MAX_CHECKPOINTS_AT_ONCE + 1] {
        assert_eq!(code(page(0, limit).await), Some(Code::InvalidRequest), "{limit}");
    }
}

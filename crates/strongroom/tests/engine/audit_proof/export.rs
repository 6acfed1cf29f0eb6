use super::{DAY, Log, Tampering};
use strongroom::domain::audit::Link;
use strongroom::domain::port::StoredCheckpoint;

/// The checkpoints that an export takes because records were removed meanwhile tell how far the stream has come by now; it has to have that.
#[tokio::test]
async fn an_export_has_all_that_its_checkpoints_tell_of() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(600).await;
    node.checkpoint().await.expect("written");
    let mut whole = node.engine.export_whole_audit(&node.session).await.expect("begins");
    let first = whole.next(&node.engine).await.expect("reads").expect("checkpoints");
    assert!(first.records.is_none() && !first.checkpoints.is_empty());
    let (_, records) = whole.next(&node.engine).await.expect("reads").expect("records").records.expect("records");
    let last = records.last().expect("some").sequence;
    log.pass(&node, 3 * DAY).await;
    log.write(2).await;
    node.checkpoint().await.expect("written");
    node.index().await;
    assert!(node.engine.retain_audit(1, &[]).await.expect("retains").removed > last);
    let read_before = log.end().await.0;
    log.write(3).await;
    node.checkpoint().await.expect("written");

    log.tamper([Tampering::ReadBefore(read_before)]);
    let part = whole.next(&node.engine).await.expect("reads").expect("the rest");
    let told = part.checkpoints.iter().filter_map(StoredCheckpoint::read).flat_map(|it| it.checkpoint.ends);
    let told = told.map(|end| end.sequence).max().expect("ends");
    assert!(told > read_before, "the last checkpoint came meanwhile");
    let (_, records) = part.records.expect("records");
    assert_eq!(records.last().map(|link: &Link| link.sequence), Some(told));
}

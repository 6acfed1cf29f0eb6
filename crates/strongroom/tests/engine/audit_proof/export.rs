use super::{DAY, Log, Node, Tampering};
use strongroom::audit::WholeAudit;
use strongroom::domain::audit::{Finding, FindingKind, Ledger, Link, StreamCheck};
use strongroom::domain::port::StoredCheckpoint;
use strongroom_crypto::Ed25519Verifier;

/// The rest of an export as it is verified elsewhere, and how many records it has.
pub(super) async fn verified(whole: &mut WholeAudit, node: &Node) -> (Vec<Finding>, u64) {
    let (mut ledger, mut check) = (Ledger::new(), StreamCheck::begin(super::STREAM));
    let (mut findings, mut records) = (Vec::new(), 0);
    while let Some(part) = whole.next(&node.engine).await.expect("reads") {
        for stored in &part.checkpoints {
            findings.extend(ledger.take(stored, &Ed25519Verifier).1);
        }
        if let Some((stream, links)) = part.records {
            assert_eq!(stream, super::STREAM);
            records += links.len() as u64;
            findings.extend(links.iter().filter_map(|link| check.take(link, &ledger, &Ed25519Verifier)));
        }
    }
    findings.extend(check.end(&ledger));
    (findings, records)
}

#[tokio::test]
async fn a_key_that_begins_to_sign_meanwhile_is_made_known_before() {
    let log = Log::new().await;
    let node = log.node().await;
    log.written_by(&node);
    log.write(600).await;
    node.checkpoint().await.expect("written");
    let mut whole = node.engine.export_whole_audit(&node.session).await.expect("begins");
    let mut early = whole.clone();
    early.next(&node.engine).await.expect("reads").expect("checkpoints");
    early.next(&node.engine).await.expect("reads").expect("records");
    node.engine.rotate_audit_key(&node.session).await.expect("rotates");
    node.checkpoint().await.expect("makes it known");
    log.write(2).await;
    node.checkpoint().await.expect("written");
    let part = early.next(&node.engine).await.expect("reads").expect("the rest");
    let newest = part.checkpoints.iter().filter_map(StoredCheckpoint::read).map(|it| it.checkpoint.newest_key).max();
    let signers = part.records.expect("records").1.into_iter().filter_map(|link| Some(link.signature?.0));
    assert_eq!((newest, signers.max()), (Some(2), Some(2)));
    let (findings, records) = verified(&mut whole, &node).await;
    assert_eq!((findings, records), (Vec::new(), log.end().await.0));
}

/// Nothing but a checkpoint says which key signs.
#[tokio::test]
async fn an_export_from_before_the_first_checkpoint_can_be_verified() {
    let log = Log::new().await;
    let node = log.node().await;
    log.written_by(&node);
    log.write(3).await;
    let mut whole = node.engine.export_whole_audit(&node.session).await.expect("begins");
    let (findings, records) = verified(&mut whole, &node).await;
    assert_eq!((findings, records), (Vec::new(), log.end().await.0));
    assert_eq!(log.checkpoints().await.len(), 1);
}

/// Whoever is to write the first one is given time, but not for ever.
#[tokio::test]
async fn an_export_does_not_wait_for_ever_for_a_first_checkpoint() {
    let log = Log::new().await;
    let (node, other) = (log.node().await, log.node().await);
    log.written_by(&node);
    log.write(1).await;
    other.checkpoint().await.expect("written, and has the lease");
    log.tamper([Tampering::CutCheckpoints(1)]);
    let mut whole = node.engine.export_whole_audit(&node.session).await.expect("begins");
    let (findings, _) = verified(&mut whole, &node).await;
    assert!(
        findings.iter().all(|it| it.kind == FindingKind::SignatureKeyUnknown) && !findings.is_empty(),
        "{findings:?}"
    );
}

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

use super::Log;
use async_trait::async_trait;
use std::sync::Mutex;
use strongroom::Code;
use strongroom::audit::{ForwardError, PublishedCheckpoint};
use strongroom::domain::audit::{Checkpoint, SignedCheckpoint};
use strongroom::domain::port::{AuditSigner, CheckpointSink, Committer, SinkError};
use strongroom::domain::unit::{Change, Unit};
use strongroom_testkit::FixedSigner;

fn number(last: Option<PublishedCheckpoint>) -> Option<u64> {
    last.map(|last| last.number)
}

#[derive(Default)]
struct Board {
    numbers: Mutex<Vec<u64>>,
    /// After so many it takes no more.
    room: Mutex<Option<usize>>,
}

impl Board {
    fn numbers(&self) -> Vec<u64> {
        self.numbers.lock().expect("unpoisoned").clone()
    }
}

#[async_trait]
impl CheckpointSink for Board {
    async fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), SinkError> {
        let mut numbers = self.numbers.lock().expect("unpoisoned");
        if self.room.lock().expect("unpoisoned").is_some_and(|room| numbers.len() >= room) {
            return Err(SinkError::new("planned"));
        }
        numbers.push(checkpoint.checkpoint.number);
        Ok(())
    }
}

#[tokio::test]
async fn checkpoints_are_published_in_order_and_from_the_newest_on() {
    let log = Log::new().await;
    let (node, board) = (log.node(), Board::default());
    let mut last = None;
    node.publish_checkpoints(&board, &mut last).await.expect("nothing there");
    assert_eq!((number(last), board.numbers()), (None, vec![]));
    for _ in 0..3 {
        log.write(1).await;
        log.keep_up(&node).await;
    }
    node.publish_checkpoints(&board, &mut last).await.expect("publishes");
    assert_eq!((number(last), board.numbers()), (Some(3), vec![3]));
    node.publish_checkpoints(&board, &mut last).await.expect("nothing new");
    // What could not be published is published later, and what was taken is not published again.
    for _ in 0..3 {
        log.write(1).await;
        log.keep_up(&node).await;
    }
    *board.room.lock().expect("unpoisoned") = Some(2);
    assert!(node.publish_checkpoints(&board, &mut last).await.is_err());
    assert_eq!(number(last), Some(4));
    *board.room.lock().expect("unpoisoned") = None;
    node.publish_checkpoints(&board, &mut last).await.expect("publishes");
    assert_eq!((number(last), board.numbers()), (Some(6), vec![3, 4, 5, 6]));
    assert_eq!(node.newest_audit_checkpoint().await.expect("readable").map(|(number, _)| number), Some(6));
}

/// What is published already tells of it only as long as nothing is added that looks as if nothing had been.
#[tokio::test]
async fn after_a_set_back_nothing_is_published_there() {
    let log = Log::new().await;
    let (node, board) = (log.node(), Board::default());
    for _ in 0..3 {
        log.write(1).await;
        log.keep_up(&node).await;
    }
    let published = PublishedCheckpoint::from(&log.checkpoints().await[2]);
    // The store has no checkpoint of the number any more; has another one; has another one, and others after it.
    let beyond = PublishedCheckpoint { number: 7, ..published };
    let other = PublishedCheckpoint { hash: [9; 32], ..published };
    let earlier = PublishedCheckpoint { number: 2, ..published };
    for wrong in [beyond, other, earlier] {
        let mut last = Some(wrong);
        for _ in 0..2 {
            let refused = node.publish_checkpoints(&board, &mut last).await;
            assert!(matches!(refused, Err(ForwardError::SetBack(number)) if number == wrong.number), "{wrong:?}");
        }
        assert_eq!((last, board.numbers()), (Some(wrong), vec![]));
    }
    // Whoever begins anew goes on from now.
    let mut last = None;
    node.publish_checkpoints(&board, &mut last).await.expect("publishes");
    assert_eq!((last, board.numbers()), (Some(published), vec![3]));
}

#[tokio::test]
async fn a_checkpoint_that_was_not_signed_so_is_not_published() {
    let log = Log::new().await;
    let (node, board) = (log.node(), Board::default());
    for _ in 0..2 {
        log.write(1).await;
        log.keep_up(&node).await;
    }
    let all = log.checkpoints().await;
    let follows = Checkpoint { number: 3, previous: all[1].checkpoint.hash(), ..all[1].checkpoint.clone() };
    let signed = |checkpoint: &Checkpoint| FixedSigner.sign(&checkpoint.signed_bytes());
    // Another signature than its own; one that does not follow from the one before.
    let altered = SignedCheckpoint { checkpoint: follows.clone(), signature: all[1].signature };
    let unchained = Checkpoint { previous: [3; 32], ..follows };
    let unchained = SignedCheckpoint { signature: signed(&unchained), checkpoint: unchained };
    let published = PublishedCheckpoint::from(&all[1]);
    for wrong in [altered.clone(), unchained] {
        let other = Log::new().await;
        let changes = all.iter().cloned().chain([wrong]).map(Change::AddCheckpoint).collect();
        other.store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
        let mut last = Some(published);
        let refused = other.node().publish_checkpoints(&board, &mut last).await;
        assert!(matches!(refused, Err(ForwardError::Store(error)) if error.code() == Code::Internal));
        assert_eq!((last, board.numbers()), (Some(published), vec![]));
    }
    let changes = vec![Change::AddCheckpoint(altered)];
    log.store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
    assert!(node.publish_checkpoints(&board, &mut None).await.is_err(), "nor the newest, to begin with");
    assert!(board.numbers().is_empty());
}

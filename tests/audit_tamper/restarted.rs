//! A server that is started again on what somebody left who could write to the database while it was down: it makes nothing of theirs true.

use crate::database::Database;
use crate::node::Node;
use crate::{go_on, runtime, tamper};
use strongroom::Code;
use strongroom_domain::audit::{Checkpoint, FindingKind};

fn places() -> [Database; 2] {
    [Database::sqlite(), Database::postgres()]
}

async fn found(place: &Database) -> Vec<(FindingKind, Option<u64>)> {
    let findings = Node::reading(place).await.verify(None, 500).await;
    findings.into_iter().map(|finding| (finding.kind, finding.sequence)).collect()
}

fn last_of(place: &Database, table: &str, column: &str) -> i64 {
    place.numbers(&format!("SELECT max({column}) FROM {table}"))[0]
}

/// Nothing tells yet of the records since the last checkpoint, so what takes their place must not be signed.
#[test]
fn what_took_the_place_of_the_last_records_is_not_signed() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(3).await;
            node.checkpoint().await;
            let told = last_of(&place, "audit_records", "position");
            node.commit(2).await;
            node.close().await;
            place.run(&format!("DELETE FROM audit_records WHERE position > {told}"));
            tamper::append(&place, told, 2);
            let first = place.numbers(&format!("SELECT sequence FROM audit_records WHERE position = {told}"))[0] + 1;
            for _ in 0..2 {
                let refused = go_on(&place).await.expect_err("told of at once");
                assert_eq!(refused.code(), Code::Internal);
                assert_eq!(found(&place).await, [(FindingKind::Unsigned, Some(first.unsigned_abs()))]);
            }
        }
    });
}

/// Whatever was done to the last checkpoint, the key that was made known before goes on signing.
#[test]
fn a_last_checkpoint_that_was_altered_brings_no_older_key_back() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(3).await;
            node.checkpoint().await;
            node.rotate().await;
            node.checkpoint().await;
            node.commit(1).await;
            node.checkpoint().await;
            node.close().await;
            let number = last_of(&place, "audit_checkpoints", "number");
            let row = format!("number = {number}");
            let canonical = place.column("audit_checkpoints", "canonical", &row);
            let checkpoint = Checkpoint::from_canonical(&canonical).expect("sound");
            assert_eq!((checkpoint.newest_key, checkpoint.keys.len()), (2, 0));
            let with = |newest_key| Checkpoint { newest_key, ..checkpoint.clone() }.to_canonical();
            let mut flipped = canonical.clone();
            flipped[20] ^= 1;
            let altered = [("canonical", flipped), ("canonical", vec![0]), ("signature", vec![1; 64])];
            for (column, bytes) in altered.into_iter().chain([0, 1, 3].map(|key| ("canonical", with(key)))) {
                let place = place.twin();
                place.run(&format!("UPDATE audit_checkpoints SET {column} = {} WHERE {row}", place.bytes(&bytes)));
                let before = last_of(&place, "audit_records", "position");
                let refused = go_on(&place).await.expect_err("nothing is built on it");
                assert_eq!(refused.code(), Code::Internal);
                let signed = format!(
                    "SELECT signing_key_version FROM audit_records WHERE signature IS NOT NULL AND position > {before}"
                );
                let signed = place.numbers(&signed);
                assert!(!signed.is_empty() && signed.iter().all(|version| *version == 2), "{column}: {signed:?}");
                assert_eq!(last_of(&place, "audit_checkpoints", "number"), number);
                let found = found(&place).await;
                assert_eq!(found[0].0, FindingKind::CheckpointChanged, "{found:?}");
                assert!(found.iter().all(|it| it.0 != FindingKind::SignatureKeyOlder), "{found:?}");
            }
        }
    });
}

/// Also where no stream has moved that they told of: each start writes others.
#[test]
fn no_checkpoint_begins_the_log_anew() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(3).await;
            node.checkpoint().await;
            node.close().await;
            place.run("DELETE FROM audit_checkpoints");
            for _ in 0..2 {
                let refused = go_on(&place).await.expect_err("they are gone");
                assert!(refused.code() == Code::Internal && refused.to_string().contains("are gone"), "{refused}");
                assert_eq!(place.numbers("SELECT count(*) FROM audit_checkpoints"), [0]);
            }
        }
    });
}

/// Nor one before all others, with which the log would begin.
#[test]
fn keys_that_were_slipped_in_keep_nobody_from_anything() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(1).await;
            node.checkpoint().await;
            node.close().await;
            for version in [0, 3, u32::MAX] {
                tamper::slip_in_a_key(&place, version);
            }
            // Nor do rows that can be no keys.
            let bytes = place.bytes(&[0]);
            for (purpose, version, public) in [
                ("audit-signing", "-1", "NULL"),
                ("audit-signing", "8589934592", "NULL"),
                ("audit-signing", "7", bytes.as_str()),
                ("nothing", "1", "NULL"),
            ] {
                place.run(&format!("INSERT INTO instance_keys VALUES ('{purpose}', {version}, {bytes}, {public})"));
            }
            let node = Node::open(&place).await;
            for newest in [2, 4, 5] {
                node.rotate().await;
                node.commit(1).await;
                let checkpoint = node.checkpoint().await.read().expect("sound").checkpoint;
                assert_eq!(checkpoint.newest_key, newest);
            }
            node.close().await;
            assert!(found(&place).await.iter().all(|it| it.0 == FindingKind::KeySlippedIn));
        }
    });
}

/// Nor before there is a checkpoint, where the oldest signs.
#[test]
fn a_key_of_version_0_is_not_the_oldest() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(1).await;
            node.close().await;
            tamper::slip_in_a_key(&place, 0);
            assert_eq!(found(&place).await, [(FindingKind::KeySlippedIn, None)]);
            let node = Node::open(&place).await;
            let checkpoint = node.checkpoint().await.read().expect("sound").checkpoint;
            assert_eq!((checkpoint.newest_key, checkpoint.ends.len()), (1, 1));
            node.close().await;
        }
    });
}

/// One that was planted before it takes the place of no stream's only record.
#[test]
fn a_stream_of_one_record_is_told_of() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(1).await;
            node.close().await;
            place.run(
                "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status)
                 SELECT position - 1, stream, 0, hash, canonical, at, event, action, outcome, status FROM audit_records",
            );
            let node = Node::open(&place).await;
            let checkpoint = node.checkpoint().await.read().expect("sound").checkpoint;
            let ends: Vec<u64> = checkpoint.ends.iter().map(|end| end.sequence).collect();
            assert_eq!(ends, [1]);
            node.close().await;
        }
    });
}

#[test]
fn an_empty_stream_keeps_no_log_from_its_first_checkpoint() {
    runtime().block_on(async {
        for place in places() {
            Node::open(&place).await.close().await;
            let id = place.id(uuid::Uuid::from_u128(9));
            place.run(&format!("INSERT INTO audit_streams (ordinal, id) VALUES (400, {id})"));
            let node = Node::open(&place).await;
            node.commit(1).await;
            let checkpoint = node.checkpoint().await.read().expect("sound").checkpoint;
            assert_eq!(checkpoint.ends.len(), 1);
            node.close().await;
        }
    });
}

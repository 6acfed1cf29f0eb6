//! Retention over real stores: what somebody does who can write to the database, so that the server itself removes what is young, or so that
//! records of theirs stand where others were removed.

use crate::database::Database;
use crate::node::Node;
use crate::runtime;
use strongroom::Code;
use strongroom_domain::audit::{AuditRecord, ChainHash, Checkpoint, FindingKind};
use strongroom_domain::id::EventId;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

const DAYS: u32 = 5;
/// How many days lie between the old records and the young ones.
const APART: i64 = 10;
const ALL: &str = "hash, signature, signing_key_version, canonical, at, event, organisation, region, project, principal_kind, principal, \
                   credential, action, outcome, status, resource_kind, resource_identity, resource_id, resource_version, request_id, \
                   client_ip";

fn places() -> [Database; 2] {
    [Database::sqlite(), Database::postgres()]
}

/// The stream's records, as they are numbered.
fn sequences(place: &Database) -> Vec<i64> {
    place.numbers("SELECT sequence FROM audit_records ORDER BY position")
}

/// A log of one stream, half of which is old; how many records those are.
async fn old_and_young(place: &Database) -> (Node, i64) {
    let node = Node::open(place).await;
    for _ in 0..4 {
        node.commit(3).await;
    }
    node.checkpoint().await;
    node.index().await;
    let streams = place.numbers("SELECT DISTINCT stream FROM audit_records");
    assert_eq!(streams.len(), 1, "one stream");
    let old = *sequences(place).last().expect("records");
    node.pass(APART).await;
    for records in [3, 2, 3] {
        node.commit(records).await;
    }
    node.checkpoint().await;
    node.index().await;
    (node, old)
}

async fn reopen(place: &Database) -> Node {
    let node = Node::open(place).await;
    node.advance(APART);
    node
}

async fn found(place: &Database) -> Vec<(FindingKind, Option<u64>)> {
    let findings = Node::reading(place).await.verify(None, 4).await;
    findings.into_iter().map(|finding| (finding.kind, finding.sequence)).collect()
}

/// It removes nothing, and says why.
async fn is_refused(place: &Database) {
    let (records, checkpoints) = (sequences(place), place.numbers("SELECT number FROM audit_checkpoints"));
    let node = reopen(place).await;
    let retained = node.retain(DAYS).await;
    node.close().await;
    match retained {
        Ok(retained) => assert!(retained.altered.is_some() && retained.removed == 0, "{retained:?}"),
        Err(refused) => {
            assert_eq!(refused.code(), Code::Internal);
            assert!(refused.to_string().contains("verify the log"), "{refused}");
        }
    }
    assert_eq!(sequences(place)[..records.len()], records);
    let now = place.numbers("SELECT number FROM audit_checkpoints");
    let announced = now[checkpoints.len()..].iter().filter(|number| !checkpoint(place, **number).begins.is_empty());
    assert_eq!(announced.count(), 0, "nothing is announced");
}

fn checkpoint(place: &Database, number: i64) -> Checkpoint {
    let canonical = place.column("audit_checkpoints", "canonical", &format!("number = {number}"));
    Checkpoint::from_canonical(&canonical).expect("sound")
}

fn row(place: &Database, sequence: i64) -> String {
    let position = place.numbers(&format!("SELECT position FROM audit_records WHERE sequence = {sequence}"));
    format!("position = {}", position[0])
}

/// Where the last checkpoint that announces says that the stream begins.
fn begin(place: &Database) -> (i64, ChainHash) {
    let numbers = place.numbers("SELECT number FROM audit_checkpoints ORDER BY number DESC");
    let begin = numbers.into_iter().find_map(|number| checkpoint(place, number).begins.first().copied());
    let begin = begin.expect("announced");
    (i64::try_from(begin.sequence).expect("few"), begin.hash)
}

/// A record with all its columns, without a signature, where there is none.
fn put(place: &Database, sequence: i64, hash: &ChainHash) {
    let like = place.numbers("SELECT max(position) FROM audit_records")[0];
    let of = place.numbers("SELECT max(sequence) FROM audit_records")[0];
    let position = like - of + sequence;
    let hash = place.bytes(hash);
    let made = ALL.replacen("hash, signature, signing_key_version", &format!("{hash}, NULL, NULL"), 1);
    place.run(&format!(
        "INSERT INTO audit_records (position, stream, sequence, {ALL}) SELECT {position}, stream, {sequence}, {made} FROM audit_records \
         WHERE position = {like}"
    ));
}

/// Makes a record old, in its bytes and beside them.
fn make_old(place: &Database, sequence: i64) {
    let row = row(place, sequence);
    let mut record = AuditRecord::from_canonical(&place.column("audit_records", "canonical", &row)).expect("sound");
    record.at = Timestamp::from_micros(1);
    place.run(&format!(
        "UPDATE audit_records SET canonical = {}, at = 1 WHERE {row}",
        place.bytes(&record.to_canonical())
    ));
}

/// Tells retention that it is further than it is.
fn set_position(place: &Database, sequence: i64) {
    let stream = place.numbers("SELECT max(stream) FROM audit_records")[0];
    let hash = place.bytes(&place.column("audit_records", "hash", &row(place, sequence)));
    place.run("DELETE FROM audit_positions WHERE name = 'retention'");
    place.run(&format!(
        "INSERT INTO audit_positions (name, stream, sequence, hash) VALUES ('retention', {stream}, {sequence}, {hash})"
    ));
}

#[test]
fn what_is_old_goes_and_the_rest_verifies() {
    runtime().block_on(async {
        for place in places() {
            let (node, old) = old_and_young(&place).await;
            assert_eq!(node.retain(DAYS).await.expect("retains").removed, old.unsigned_abs());
            assert_eq!(sequences(&place)[0], old + 1);
            node.checkpoint().await;
            node.index().await;
            assert_eq!(node.verify(None, 3).await, []);
            assert_eq!(node.retain(DAYS).await.expect("retains").removed, 0);
            node.close().await;
        }
    });
}

/// The server's own announcement must not be made to cover records that are young.
#[test]
fn nothing_young_goes_by_a_record_that_was_made_old() {
    runtime().block_on(async {
        for place in places() {
            let (node, old) = old_and_young(&place).await;
            node.close().await;
            let other = place.twin();
            // The first that is young: nothing goes by it.
            make_old(&place, old + 1);
            set_position(&place, old);
            is_refused(&place).await;
            let wanted = (FindingKind::RecordChanged, Some(old.unsigned_abs() + 1));
            assert_eq!(found(&place).await.first(), Some(&wanted));
            // One after that: only what is old goes.
            make_old(&other, old + 2);
            set_position(&other, old + 1);
            let node = reopen(&other).await;
            assert_eq!(node.retain(DAYS).await.expect("retains").removed, old.unsigned_abs());
            node.close().await;
            assert_eq!(sequences(&other)[0], old + 1);
            let wanted = (FindingKind::RecordChanged, Some(old.unsigned_abs() + 2));
            assert_eq!(found(&other).await.first(), Some(&wanted));
        }
    });
}

/// Chained anew as well, up to a signature that nobody without the key can make.
#[test]
fn nothing_goes_by_records_that_were_chained_anew() {
    runtime().block_on(async {
        for place in places() {
            let (node, old) = old_and_young(&place).await;
            node.close().await;
            let last = *sequences(&place).last().expect("records");
            // From within the old ones on, so that the chunk would end there.
            make_old(&place, old);
            let before = place.column("audit_records", "hash", &row(&place, old - 1));
            let stream = strongroom_domain::id::StreamId::new(Uuid::nil());
            let mut state = strongroom_domain::audit::ChainState {
                stream,
                sequence: old.unsigned_abs() - 1,
                hash: before.try_into().expect("32 bytes"),
            };
            for sequence in old..=last {
                let row = row(&place, sequence);
                state = state.after(&place.column("audit_records", "canonical", &row));
                place.run(&format!("UPDATE audit_records SET hash = {} WHERE {row}", place.bytes(&state.hash)));
            }
            is_refused(&place).await;
            assert_eq!(found(&place).await.first(), Some(&(FindingKind::SignatureInvalid, Some(old.unsigned_abs()))));
        }
    });
}

/// What stands where records were removed is none of the log, whatever it says.
#[test]
fn a_record_put_where_others_were_removed_is_found() {
    runtime().block_on(async {
        for place in places() {
            let (node, _) = old_and_young(&place).await;
            node.retain(DAYS).await.expect("retains");
            node.checkpoint().await;
            node.index().await;
            node.close().await;
            assert_eq!(found(&place).await, []);
            let (last, hash) = begin(&place);
            for sequence in [last, last - 1, 1] {
                put(&place, sequence, &hash);
                let first = found(&place).await.first().copied();
                assert_eq!(first, Some((FindingKind::RecordChanged, Some(sequence.unsigned_abs()))));
                is_refused(&place).await;
                let row = row(&place, sequence);
                place.run(&format!("DELETE FROM audit_records WHERE {row}"));
            }
        }
    });
}

/// Announced, and not removed yet: sound, and gone on with; only what is not all of it, or was changed, is found.
#[test]
fn a_removal_that_is_half_done_verifies_and_is_ended() {
    runtime().block_on(async {
        for place in places() {
            let (node, old) = old_and_young(&place).await;
            match place.file() {
                Some(_) => place.run(
                    "CREATE TRIGGER stays BEFORE DELETE ON audit_records BEGIN SELECT RAISE(ABORT, 'stays'); END",
                ),
                None => place.run(
                    "CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stays'; END $$;
                     CREATE TRIGGER stays BEFORE DELETE ON audit_records FOR EACH ROW EXECUTE FUNCTION stays()",
                ),
            }
            assert!(node.retain(DAYS).await.is_err(), "the store lets nothing go");
            node.checkpoint().await;
            node.index().await;
            node.close().await;
            place.run(match place.file() {
                Some(_) => "DROP TRIGGER stays",
                None => "DROP TRIGGER stays ON audit_records",
            });
            assert_eq!((begin(&place).0, sequences(&place)[0]), (old, 1));
            let [tampered, without_first, without_last] = [place.twin(), place.twin(), place.twin()];
            assert_eq!(found(&place).await, []);

            make_old(&tampered, 2);
            assert_eq!(found(&tampered).await.first(), Some(&(FindingKind::RecordChanged, Some(2))));
            is_refused(&tampered).await;
            let missing = [(without_first, 1, FindingKind::RecordChanged), (without_last, old, FindingKind::RecordMissing)];
            for (tampered, gone, wanted) in missing {
                tampered.run(&format!("DELETE FROM audit_records WHERE {}", row(&tampered, gone)));
                assert_eq!(found(&tampered).await.first().map(|it| it.0), Some(wanted));
                is_refused(&tampered).await;
            }

            let node = reopen(&place).await;
            assert_eq!(node.retain(DAYS).await.expect("retains").removed, old.unsigned_abs());
            assert_eq!(sequences(&place)[0], old + 1);
            node.checkpoint().await;
            node.index().await;
            assert_eq!(node.verify(None, 3).await, []);
            node.close().await;
        }
    });
}

/// A clock that is far ahead makes nothing old that was young when the last checkpoint was made.
#[test]
fn a_clock_that_jumped_ahead_removes_nothing_young() {
    runtime().block_on(async {
        let place = Database::sqlite();
        let (node, old) = old_and_young(&place).await;
        node.advance(10_000);
        assert_eq!(node.retain(DAYS).await.expect("retains").removed, old.unsigned_abs());
        node.close().await;
    });
}

/// Nobody comes by it who reads in order, but it would be found by place.
#[test]
fn a_record_before_the_first_is_found() {
    runtime().block_on(async {
        for place in places() {
            let (node, _) = old_and_young(&place).await;
            node.close().await;
            assert_eq!(found(&place).await, []);
            put(&place, 0, &[7; 32]);
            assert_eq!(found(&place).await, [(FindingKind::RecordMisplaced, Some(0))]);
        }
    });
}

/// What searches would show, and belongs to no stream.
#[test]
fn a_record_of_no_stream_with_its_lines_is_found() {
    runtime().block_on(async {
        for place in places() {
            let (node, _) = old_and_young(&place).await;
            node.close().await;
            let like = place.numbers("SELECT max(position) FROM audit_records")[0];
            let mut record = AuditRecord::from_canonical(&place.column("audit_records", "canonical", &format!("position = {like}")));
            let forged = record.as_mut().expect("sound");
            forged.event = EventId::new(Uuid::from_u128(77));
            let canonical = place.bytes(&forged.to_canonical());
            let (event, elsewhere) = (place.id(forged.event.uuid()), "position + 5 * 17592186044416");
            let made = ALL.replacen("canonical", &canonical, 1).replacen(" event", &format!(" {event}"), 1);
            place.run(&format!(
                "INSERT INTO audit_records (position, stream, sequence, {ALL}) SELECT {elsewhere}, stream + 5, sequence, {made} \
                 FROM audit_records WHERE position = {like}"
            ));
            place.run(&format!(
                "INSERT INTO audit_index (organisation, term, at, event, position) \
                 SELECT organisation, term, at, {event}, {elsewhere} FROM audit_index WHERE position = {like}"
            ));
            assert_eq!(found(&place).await, [(FindingKind::IndexLinesForeign, None)]);
        }
    });
}

/// One stream must not keep what others have for ever.
#[test]
fn other_streams_go_on_without_an_altered_one() {
    runtime().block_on(async {
        for place in places() {
            // Each start begins a stream. The last one has the lease of the index.
            for is_last in [false, true] {
                let node = Node::open(&place).await;
                node.commit(3).await;
                node.pass(APART).await;
                node.commit(3).await;
                node.checkpoint().await;
                if is_last {
                    node.index().await;
                }
                node.close().await;
            }
            let first = place.numbers("SELECT min(position) FROM audit_records")[0];
            place.run(&format!("UPDATE audit_records SET at = 1 WHERE position = {}", first + 1));
            let of_first = "SELECT count(*) FROM audit_records WHERE stream = (SELECT min(stream) FROM audit_records)";
            let before = place.numbers(of_first);
            let node = reopen(&place).await;
            let retained = node.retain(DAYS).await.expect("the others go");
            assert_eq!(retained.altered.map(|record| record.sequence), Some(2));
            assert_eq!(retained.removed, 3);
            node.close().await;
            assert_eq!(place.numbers(of_first), before);
        }
    });
}

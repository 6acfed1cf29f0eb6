//! Stores made by the first three steps, with records in them, opened as they are now.

use super::super::Migrator;
use crate::row::position;
use crate::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, Value};
use std::sync::Arc;
use strongroom_domain::audit::{
    Action, AuditRecord, Behind, ChainState, ChainedRecord, IndexEntry, LogReader, Outcome,
};
use strongroom_domain::id::{EventId, StreamId};
use strongroom_domain::port::{AuditReader, AuditSigner, Committer, Window};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};
use uuid::Uuid;

const STREAM: StreamId = StreamId::new(Uuid::from_u128(5));
const COUNT: u64 = 3;

fn records() -> Vec<ChainedRecord> {
    let mut chain = ChainState::begin(STREAM);
    let record = |second: u64| AuditRecord {
        event: EventId::new(Uuid::from_u128(u128::from(second))),
        at: Timestamp::EPOCH.plus_seconds(i64::try_from(second).expect("small")),
        action: Action::AuthFailure,
        outcome: Outcome::Failure,
        status: 401,
        organisation: None,
        region: None,
        project: None,
        principal: None,
        credential: None,
        resource: None,
        decided_by: None,
        request: None,
        details: None,
    };
    let mut records: Vec<ChainedRecord> = (1..=COUNT).map(|second| chain.append(record(second).into())).collect();
    if let Some(last) = records.last_mut() {
        last.signature = Some(FixedSigner.sign(&chain.signed_bytes()));
    }
    records
}

async fn insert<const N: usize>(db: &DatabaseConnection, into: &str, values: [Value; N]) {
    let places: Vec<String> = (1..=N).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {into} VALUES ({})", places.join(", "));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await.expect("inserted");
}

async fn fill(url: &str) {
    let db = Database::connect(url).await.expect("connects");
    Migrator::up(&db, Some(3)).await.expect("made");
    insert(&db, "audit_streams (ordinal, id)", [1_i64.into(), STREAM.uuid().into()]).await;
    insert(&db, "audit_positions (name, stream, sequence)", ["last-access".into(), 1_i64.into(), 2_i64.into()]).await;
    for chained in records() {
        let into =
            "audit_records (position, stream, sequence, hash, signature, signing_key_version, canonical, at, event,
                                   action, outcome, status)";
        let values = [
            position(1, chained.sequence).into(),
            1_i64.into(),
            i64::try_from(chained.sequence).expect("small").into(),
            chained.hash.to_vec().into(),
            chained.signature.map(|signature| signature.bytes.to_vec()).into(),
            chained.signature.map(|signature| i64::from(signature.key_version)).into(),
            chained.canonical.into(),
            chained.record.at.as_micros().into(),
            chained.record.event.uuid().into(),
            chained.record.action.as_str().into(),
            chained.record.outcome.as_str().into(),
            i64::from(chained.record.status).into(),
        ];
        insert(&db, into, values).await;
    }
    db.close().await.expect("closed");
}

/// The records are there, untouched; what reads the log begins with the first of them.
async fn check(store: &impl AuditReader, committer: &impl Committer) {
    assert_eq!(store.streams().await.expect("readable"), [STREAM]);
    let records = records();
    assert_eq!(store.records(STREAM, 0, 9).await.expect("readable"), records);
    let links = store.links(STREAM, 0, 9).await.expect("readable");
    assert_eq!(links.iter().map(|link| link.differing).collect::<Vec<_>>(), [None; COUNT as usize]);
    assert_eq!(store.last_checkpoint().await.expect("readable"), None);
    assert_eq!(store.index_lines(None, 9).await.expect("readable"), []);
    for reader in [LogReader::Index, LogReader::Checkpoints, LogReader::Retention] {
        let behind = store.behind(&reader, None, 9).await.expect("readable");
        assert_eq!(behind, [Behind { stream: STREAM, through: 0, end: COUNT }]);
    }
    let end = ChainState { stream: STREAM, sequence: COUNT, hash: records[2].hash };
    let checkpoint = Change::AddCheckpoint(build::checkpoint(1, vec![end]));
    committer.commit(units::silent(vec![units::index(&records), checkpoint])).await.expect("indexed");
    let line = IndexEntry::of(&records[0].record, 1)[0];
    let found = store.find(None, line.term, Window::ALL, 9).await.expect("readable");
    assert_eq!((found.len(), found[2]), (3, (line, STREAM)));
    for reader in [LogReader::Index, LogReader::Checkpoints] {
        assert_eq!(store.behind(&reader, None, 9).await.expect("readable"), []);
    }
}

/// That stream stays as it is, and another begins.
#[tokio::test]
async fn a_file_of_the_third_step_opens_with_its_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("strongroom.db");
    fill(&format!("sqlite://{}?mode=rwc", path.display())).await;
    let store = SqliteStore::open(OpenOptions::new(&path)).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).expect("starts");
    check(&store, &writer).await;
    let more = Unit { records: vec![build::record(Action::SecretRead)], ..Unit::default() };
    writer.commit(more).await.expect("logged");
    let streams = store.streams().await.expect("readable");
    assert_eq!((streams.len(), streams[0]), (2, STREAM));
    assert_eq!(store.records(STREAM, 0, 9).await.expect("readable"), records());
    let all = store.records(streams[1], 0, 9).await.expect("readable");
    assert_eq!(all.iter().map(|chained| chained.sequence).collect::<Vec<_>>(), [1]);
    writer.close().await;
}

#[tokio::test]
async fn a_database_of_the_third_step_opens_with_its_records() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    fill(database.url()).await;
    let options = PostgresOptions::parse(database.url()).expect("a URL");
    let store = PostgresStore::open(options).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).await.expect("starts");
    check(&store, &writer).await;
    writer.close().await;
}

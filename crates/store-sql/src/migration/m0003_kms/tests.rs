//! Stores made by the first two steps, opened as they are now.

use super::super::Migrator;
use crate::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use std::path::Path;
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyOrigin, KeyStatus, KeyVersionNumber};
use strongroom_domain::port::{Committer, Freshness, KeyDue, KeyReader};
use strongroom_domain::time::Timestamp;
use strongroom_testkit::{FixedSigner, SequentialIds, units};
use uuid::Uuid;

const DAY: i64 = 86_400_000_000;
const PURGE_AT: i64 = 40 * DAY;
const ROTATING: Uuid = Uuid::from_u128(1);
const RESTING: Uuid = Uuid::from_u128(2);
const DISABLED: Uuid = Uuid::from_u128(3);
const PENDING: Uuid = Uuid::from_u128(4);

fn handle(key: Uuid, number: i64) -> Vec<u8> {
    format!("the handle {} of {number}", key.as_u128()).into_bytes()
}

async fn insert<const N: usize>(db: &DatabaseConnection, into: &str, values: [Value; N]) {
    let places: Vec<String> = (1..=N).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {into} VALUES ({})", places.join(", "));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await.expect("inserted");
}

async fn key(db: &DatabaseConnection, id: Uuid, rotates: bool, status: &str) {
    let into = "kms_keys (id, organisation, region, project, key_type, export_allowed, name, slug, metadata, rotation_enabled,
                          rotation_days, status, purge_at, was_disabled, holds_name, updated_at, object_version, revision,
                          created_at)";
    let pending = status == "pending_deletion";
    let values = [
        id.into(),
        Uuid::nil().into(),
        Uuid::nil().into(),
        Uuid::nil().into(),
        strongroom_domain::kms::KeyType::default().as_str().into(),
        false.into(),
        id.to_string().into(),
        id.to_string().into(),
        crate::row::metadata::encode(&strongroom_domain::metadata::Metadata::default()).into(),
        rotates.into(),
        Some(90_i64).into(),
        status.into(),
        pending.then_some(PURGE_AT).into(),
        pending.then_some(false).into(),
        (!pending).into(),
        0_i64.into(),
        1_i64.into(),
        1_i64.into(),
        0_i64.into(),
    ];
    insert(db, into, values).await;
    for number in 1..=2_i64 {
        let values = [id.into(), number.into(), handle(id, number).into(), (number * DAY).into()];
        insert(db, "kms_key_versions (key_id, number, handle, created_at)", values).await;
    }
}

async fn fill(url: &str) {
    let db = Database::connect(url).await.expect("connects");
    Migrator::up(&db, Some(2)).await.expect("made");
    if db.get_database_backend() == DbBackend::Sqlite {
        insert(&db, "secret_materials (id, wrapped, payload)", [7_i64.into(), vec![1_u8].into(), vec![2_u8].into()])
            .await;
    }
    for (id, rotates, status) in [
        (ROTATING, true, "active"),
        (RESTING, false, "active"),
        (DISABLED, true, "disabled"),
        (PENDING, true, "pending_deletion"),
    ] {
        key(&db, id, rotates, status).await;
    }
    db.close().await.expect("closed");
}

async fn check(store: &impl KeyReader) -> Key {
    let keys = store.all(None, 9).await.expect("readable");
    assert_eq!(keys.iter().map(|key| key.spec.id.uuid()).collect::<Vec<_>>(), [ROTATING, RESTING, DISABLED, PENDING]);
    for key in &keys {
        assert_eq!((key.origin, key.state.min_decryption_version), (KeyOrigin::Generated, KeyVersionNumber::FIRST));
        for (version, number) in key.versions.iter().zip(1..) {
            assert_eq!(version.handle.as_bytes(), handle(key.spec.id.uuid(), number));
        }
        assert_eq!(key.versions.len(), 2);
        let read = store.get(key.spec.id, Freshness::Latest).await.expect("readable");
        assert_eq!(read.as_deref(), Some(key));
    }
    let due = async |what, micros| {
        let keys = store.due(what, Timestamp::from_micros(micros), 9).await.expect("readable");
        keys.into_iter().map(|key| key.spec.id.uuid()).collect::<Vec<_>>()
    };
    assert_eq!(due(KeyDue::Rotation, 92 * DAY - 1).await, Vec::<Uuid>::new());
    assert_eq!(due(KeyDue::Rotation, 92 * DAY).await, [ROTATING]);
    assert_eq!(due(KeyDue::Purge, PURGE_AT).await, [PENDING]);
    assert!(matches!(keys[3].state.status, KeyStatus::PendingDeletion { .. }));
    keys.into_iter().next().expect("four")
}

fn is_in_a_file(folder: &Path, bytes: &[u8]) -> bool {
    let mut files = std::fs::read_dir(folder).expect("readable");
    files.any(|file| {
        let content = std::fs::read(file.expect("readable").path()).expect("readable");
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// The handles move, and leave nothing behind that a later erasure wouldn't reach.
#[tokio::test]
async fn a_file_of_the_second_step_opens_and_its_handles_can_be_erased() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("strongroom.db");
    fill(&format!("sqlite://{}?mode=rwc", path.display())).await;
    check(&SqliteStore::open(OpenOptions::new(&path)).await.expect("opens")).await;
    let store = SqliteStore::open(OpenOptions::new(&path)).await.expect("opens");
    let rotating = check(&store).await;
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).expect("starts");
    writer.commit(units::delete_key(&rotating)).await.expect("deleted");
    writer.close().await;
    assert_eq!(store.get(KeyId::new(ROTATING), Freshness::Latest).await.expect("readable"), None);
    for number in 1..=2 {
        assert!(!is_in_a_file(folder.path(), &handle(ROTATING, number)));
        assert!(is_in_a_file(folder.path(), &handle(RESTING, number)));
    }
}

#[tokio::test]
async fn a_database_of_the_second_step_opens() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    fill(database.url()).await;
    for _ in 0..2 {
        let options = PostgresOptions::parse(database.url()).expect("a URL");
        check(&PostgresStore::open(options).await.expect("opens")).await;
    }
}

//! Stores made by the first five steps, with a secret in them, opened as they are now.

use super::super::Migrator;
use crate::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore, row};
use core::num::NonZeroU32;
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, Value};
use std::sync::Arc;
use strongroom_domain::port::{Committer, SecretReader};
use strongroom_domain::secret::Secret;
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};

async fn insert<const N: usize>(db: &DatabaseConnection, into: &str, values: [Value; N]) {
    let places: Vec<String> = (1..=N).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {into} VALUES ({})", places.join(", "));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await.expect("inserted");
}

/// A secret whose two versions are destroyed, so that it has no material.
fn secret() -> Secret {
    let secret = build::secret(build::scope(), "/app/old");
    let secret = units::append(&secret).1;
    let secret = units::erase(&secret, build::number(1), None).1;
    units::erase(&secret, build::number(2), None).1
}

async fn fill(url: &str, secret: &Secret) {
    let db = Database::connect(url).await.expect("connects");
    Migrator::up(&db, Some(5)).await.expect("made");
    let state = secret.state;
    let into =
        "secrets (id, organisation, region, project, path, parent, name, key_id, metadata, latest, active, updated_at,
                         object_version, revision, created_at)";
    let values = [
        secret.id.uuid().into(),
        secret.scope.organisation.uuid().into(),
        secret.scope.region.uuid().into(),
        row::project(&secret.scope).into(),
        secret.path.as_str().into(),
        secret.path.parent().as_str().into(),
        secret.path.name().into(),
        secret.key.uuid().into(),
        row::metadata::encode(&secret.metadata).into(),
        row::column(state.head.latest.get()).into(),
        i64::from(state.head.active).into(),
        state.updated_at.as_micros().into(),
        row::column(state.object_version).into(),
        row::column(state.revision.get()).into(),
        secret.created_at.as_micros().into(),
    ];
    insert(&db, into, values).await;
    db.close().await.expect("closed");
}

/// The secret is as it was, and takes a maximum.
async fn check(store: &impl SecretReader, committer: &impl Committer, secret: &Secret) {
    let find = async || store.find(&secret.scope, &secret.path).await.expect("readable");
    assert_eq!(find().await.as_ref(), Some(secret));
    let (unit, kept) = units::keep_versions(secret, NonZeroU32::new(3));
    committer.commit(unit).await.expect("replaced");
    assert_eq!(find().await.as_ref(), Some(&kept));
    let (unit, put) = units::append(&kept);
    committer.commit(unit).await.expect("appended");
    assert_eq!(find().await, Some(put));
    assert_eq!(store.oldest_active(secret.id, 9).await.expect("readable"), [build::number(3)]);
}

#[tokio::test]
async fn a_file_of_the_fifth_step_keeps_all_versions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("strongroom.db");
    let secret = secret();
    fill(&format!("sqlite://{}?mode=rwc", path.display()), &secret).await;
    let store = SqliteStore::open(OpenOptions::new(&path)).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).expect("starts");
    check(&store, &writer, &secret).await;
    writer.close().await;
}

#[tokio::test]
async fn a_database_of_the_fifth_step_keeps_all_versions() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    let secret = secret();
    fill(database.url(), &secret).await;
    let store = PostgresStore::open(PostgresOptions::parse(database.url()).expect("a URL")).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).await.expect("starts");
    check(&store, &writer, &secret).await;
    writer.close().await;
}

//! That reads of the directory, of a user's tokens, of a request's denials, of what is due for keys and of what is bound to one are
//! look-ups by index, however much there is.

mod audit_log;

use super::{audit, bound, directory, keys, secrets, tokens};
use crate::entity::kms_key;
use crate::migration::Migrator;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, QueryTrait, Select,
    Statement,
};
use sea_orm_migration::MigratorTrait;
use strongroom_domain::directory::ObjectKind;
use strongroom_domain::id::{KeyId, OrganisationId, RequestId, SecretId, UserId};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::port::{KeyDue, ObjectQuery, ObjectSelector};
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionNumber;
use uuid::Uuid;

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1);
    let db = Database::connect(options).await.expect("connects");
    Migrator::up(&db, None).await.expect("made");
    db
}

/// The lines of a statement's plan.
async fn plan<E: EntityTrait>(db: &DatabaseConnection, query: &Select<E>) -> String {
    plan_of(db, query.build(db.get_database_backend())).await
}

async fn plan_of(db: &DatabaseConnection, mut statement: Statement) -> String {
    let backend = db.get_database_backend();
    let (explain, column) = match backend {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        _ => ("EXPLAIN", "QUERY PLAN"),
    };
    statement.sql = format!("{explain} {}", statement.sql);
    let rows = db.query_all_raw(statement).await.expect("explained");
    rows.iter().map(|row| row.try_get::<String>("", column).expect("a text")).collect::<Vec<_>>().join("\n")
}

const ID: Uuid = Uuid::from_u128(77);

/// Queries, with the index that each is answered by and its columns that are looked up.
fn cases() -> Vec<(ObjectKind, Option<OrganisationId>, ObjectSelector, &'static str, &'static str)> {
    use ObjectKind::{Binding, User};
    let ours = Some(OrganisationId::new(ID));
    let ids = || vec![ID, Uuid::nil()];
    let handle = || ObjectSelector::Handle("h".to_owned());
    let (of, by) = ("directory_objects_organisation", "directory_objects_handle");
    let (parts, about) = ("directory_objects_parent", "directory_objects_subject");
    vec![
        (Binding, ours, ObjectSelector::All, of, "organisation=? AND kind=?"),
        (User, None, ObjectSelector::All, of, "organisation=? AND kind=?"),
        (Binding, None, ObjectSelector::All, by, "kind=?"),
        (Binding, ours, ObjectSelector::Ids(ids()), "", "id=?"),
        (Binding, None, ObjectSelector::Ids(ids()), "", "id=?"),
        (User, None, ObjectSelector::Ids(ids()), "", "id=?"),
        (Binding, ours, handle(), by, "kind=? AND handle=? AND organisation=?"),
        (Binding, None, handle(), by, "kind=? AND handle=?"),
        (User, None, handle(), by, "kind=? AND handle=? AND organisation=?"),
        (Binding, ours, ObjectSelector::PartsOf(ID), parts, "parent=? AND kind=? AND organisation=?"),
        (Binding, None, ObjectSelector::PartsOf(ID), parts, "parent=? AND kind=?"),
        (Binding, ours, ObjectSelector::About(ids()), about, "subject=? AND kind=? AND organisation=?"),
        (Binding, None, ObjectSelector::About(ids()), about, "subject=? AND kind=?"),
    ]
}

async fn check_sqlite(db: &DatabaseConnection) {
    for (kind, organisation, which, index, columns) in cases() {
        let query = ObjectQuery { kind, organisation, which };
        for statement in directory::statements(&query) {
            let plan = plan(db, &statement).await;
            assert!(plan.starts_with("SEARCH directory_objects USING INDEX "), "{query:?}: {plan}");
            assert!(plan.contains(index) && plan.contains(columns) && plan.lines().count() == 1, "{query:?}: {plan}");
        }
    }
    let plan = plan(db, &tokens::query(UserId::new(ID))).await;
    assert_eq!(plan, "SEARCH tokens USING INDEX tokens_user (user_id=?)");
    let plan = plan_of(db, audit::denials(DbBackend::Sqlite, RequestId::new(ID), OrganisationId::new(ID))).await;
    assert!(plan.starts_with("SEARCH audit_records USING INDEX audit_records_denied (request_id=?)"), "{plan}");
}

/// Keys for which something is due, and pages of all.
fn key_queries(backend: DbBackend) -> [(Select<kms_key::Entity>, &'static str); 3] {
    let due = |what| keys::within(keys::due_ids(what, Timestamp::from_micros(10), 5));
    let queries = [
        (due(KeyDue::Rotation), "kms_keys_rotation"),
        (due(KeyDue::Purge), "kms_keys_purge"),
        (keys::within(keys::ids_after(Some(KeyId::new(ID)), 5)), ""),
    ];
    queries.map(|(query, index)| (keys::with_versions(backend, query), index))
}

fn bound_statements(backend: DbBackend) -> [Statement; 4] {
    let key = KeyId::new(ID);
    let after = Some((SecretId::new(ID), VersionNumber::new(3).expect("a number")));
    [
        bound::count_statement(backend, key),
        bound::count_wrapped_statement(backend, key),
        bound::wrapped_statement(backend, key, None, None, 5),
        bound::wrapped_statement(backend, key, KeyVersionNumber::new(2), after, 5),
    ]
}

async fn check_keys_sqlite(db: &DatabaseConnection) {
    for (query, index) in key_queries(DbBackend::Sqlite) {
        let plan = plan(db, &query).await;
        assert!(!plan.contains("SCAN") && plan.contains(index), "{plan}");
    }
    for statement in bound_statements(DbBackend::Sqlite) {
        let plan = plan_of(db, statement).await;
        let lines: Vec<&str> = plan.lines().collect();
        assert!(lines[0].starts_with("SEARCH ") && lines[0].contains("INDEX secrets_key (key_id=?"), "{plan}");
        assert!(!plan.contains("SCAN"), "{plan}");
        // What comes in order needs no sorting, so that a page costs what it shows.
        assert!(!plan.contains("ORDER BY"), "{plan}");
    }
    let plan = plan_of(db, secrets::oldest_active_statement(DbBackend::Sqlite, SecretId::new(ID), 5)).await;
    assert!(plan.contains("SEARCH secret_versions USING") && plan.contains("(secret=?)"), "{plan}");
    assert!(plan.contains("SEARCH secrets USING") && !plan.contains("SCAN s"), "{plan}");
}

#[tokio::test]
async fn sqlite_looks_up_by_index() {
    let db = connect("sqlite::memory:").await;
    check_sqlite(&db).await;
    check_keys_sqlite(&db).await;
}

/// 20,000 secrets of two versions under 400 keys, of which every hundredth is due for each.
async fn check_keys_postgres(db: &DatabaseConnection) {
    let keys = "INSERT INTO kms_keys (id, organisation, region, project, key_type, export_allowed, name, slug, metadata,
               rotation_enabled, rotation_days, status, purge_at, was_disabled, holds_name, updated_at, object_version, revision,
               created_at, rotation_due_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, lpad('', 32, '0')::uuid, lpad('', 32, '0')::uuid, lpad('', 32, '0')::uuid, '',
               false, 'k' || n, 'k' || n, '\\x00', true, 1, 'active', CASE WHEN n % 2 = 0 THEN n END, false, true, 0, 1, 1, 0,
               CASE WHEN n % 2 = 1 THEN n END
        FROM generate_series(1, 4000) n";
    let key_versions = "INSERT INTO kms_key_versions (key_id, number, handle, created_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, 1, '\\x00', 0 FROM generate_series(1, 4000) n";
    let secrets = "INSERT INTO secrets (id, organisation, region, project, path, parent, name, key_id, metadata, latest, active,
               updated_at, object_version, revision, created_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, lpad('', 32, '0')::uuid, lpad('', 32, '0')::uuid, lpad('', 32, '0')::uuid,
               '/' || n, '/', 'n' || n, lpad(to_hex(n % 400), 32, '0')::uuid, '\\x00', 2, 2, 0, 1, 1, 0
        FROM generate_series(1, 20000) n";
    let versions = "INSERT INTO secret_versions (secret, number, format, created_at, key_version, wrapped, payload)
        SELECT lpad(to_hex(n), 32, '0')::uuid, v, '', 0, 1, '\\x00', '\\x00'
        FROM generate_series(1, 20000) n, generate_series(1, 2) v";
    for sql in [keys, key_versions, secrets, versions, "ANALYZE"] {
        db.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("made");
    }
    for (query, index) in key_queries(DbBackend::Postgres) {
        let plan = plan(db, &query).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
    for statement in bound_statements(DbBackend::Postgres) {
        let plan = plan_of(db, statement).await;
        assert!(plan.contains("secrets_key") && !plan.contains("Seq Scan"), "{plan}");
    }
    let plan = plan_of(db, secrets::oldest_active_statement(DbBackend::Postgres, SecretId::new(ID), 5)).await;
    assert!(plan.contains("secret_versions_pkey") && !plan.contains("Seq Scan"), "{plan}");
}

#[tokio::test]
async fn postgres_looks_up_by_index() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    let db = connect(database.url()).await;
    // 200 organisations of 150 objects each.
    let fill = "INSERT INTO directory_objects (id, kind, organisation, parent, subject, handle, body)
        SELECT lpad(to_hex(n), 32, '0')::uuid, CASE WHEN n % 3 = 0 THEN 'user' ELSE 'binding' END,
               CASE WHEN n % 3 = 0 THEN lpad('', 32, '0') ELSE lpad(to_hex(n % 200 + 1), 32, '0') END::uuid,
               CASE WHEN n % 3 <> 0 THEN lpad(to_hex(n / 7), 32, '0')::uuid END,
               CASE WHEN n % 3 <> 0 THEN lpad(to_hex(n / 5), 32, '0')::uuid END, 'h' || n, '\\x00'
        FROM generate_series(1, 30000) n";
    let tokens =
        "INSERT INTO tokens (id, digest, digest_key_version, holder, user_id, organisation, name, scopes, created_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, int4send(n), 1, 'user', lpad(to_hex(n / 3), 32, '0')::uuid,
               lpad('', 32, '0')::uuid, '', '', 0 FROM generate_series(1, 10000) n";
    // One in ten is a denial.
    let records = "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, organisation, action, outcome,
                                   status, request_id)
        SELECT n, 0, n, '\\x00', '\\x00', n, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(77), 32, '0')::uuid, 'secret.read',
               CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'success' END, 200, lpad(to_hex(n), 32, '0')::uuid
        FROM generate_series(1, 20000) n";
    for sql in [fill, tokens, records, "ANALYZE"] {
        db.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("made");
    }
    for (kind, organisation, which, index, columns) in cases() {
        // All of a kind are most of this table.
        if columns == "kind=?" || (kind == ObjectKind::User && which == ObjectSelector::All) {
            continue;
        }
        let index = if index.is_empty() { "directory_objects_pkey" } else { index };
        let query = ObjectQuery { kind, organisation, which };
        for statement in directory::statements(&query) {
            let plan = plan(&db, &statement).await;
            assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{query:?}: {plan}");
        }
    }
    let plan = plan(&db, &tokens::query(UserId::new(ID))).await;
    assert!(plan.contains("tokens_user"), "{plan}");
    let plan = plan_of(&db, audit::denials(DbBackend::Postgres, RequestId::new(ID), OrganisationId::new(ID))).await;
    assert!(plan.contains("audit_records_denied") && !plan.contains("Seq Scan on audit_records"), "{plan}");
    check_keys_postgres(&db).await;
}

//! That reads of the directory, of a user's tokens and of a request's denials are look-ups by index, however much there is.

use super::{audit, directory, tokens};
use crate::migration::Migrator;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, QueryTrait, Select,
    Statement,
};
use sea_orm_migration::MigratorTrait;
use strongroom_domain::directory::ObjectKind;
use strongroom_domain::id::{OrganisationId, RequestId, UserId};
use strongroom_domain::port::{ObjectQuery, ObjectSelector};
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
    let backend = db.get_database_backend();
    let mut statement = query.build(backend);
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
    let plan = self::plan(db, &audit::denials(RequestId::new(ID), OrganisationId::new(ID))).await;
    assert!(plan.starts_with("SEARCH audit_records USING INDEX audit_records_denied (request_id=?)"), "{plan}");
}

#[tokio::test]
async fn sqlite_looks_up_by_index() {
    check_sqlite(&connect("sqlite::memory:").await).await;
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
    let plan = self::plan(&db, &audit::denials(RequestId::new(ID), OrganisationId::new(ID))).await;
    assert!(plan.contains("audit_records_denied") && !plan.contains("Seq Scan"), "{plan}");
}

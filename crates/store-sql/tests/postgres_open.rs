//! What a store makes of the PostgreSQL database it is given, and of servers that fail it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use sqlx::{Connection, PgConnection};
use std::time::Duration;
use strongroom_domain::port::{Freshness, KeyReader, ReadError, ReadErrorKind, SetupReader, TenancyReader};
use strongroom_domain::unit::Change;
use strongroom_store_sql::{OpenError, PostgresOptions, PostgresStore, peek_postgres_key_check};
use strongroom_test_postgres::{Cluster, Database, Mode, database};
use strongroom_testkit::{build, units};

fn options(url: &str) -> PostgresOptions {
    PostgresOptions::parse(url).expect("a URL")
}

async fn open(url: &str) -> PostgresStore {
    match PostgresStore::open(options(url).create()).await {
        Ok(store) => store,
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)),
    }
}

async fn refusal(options: PostgresOptions) -> OpenError {
    match PostgresStore::open(options).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

fn tables(database: &Database) -> String {
    let rows =
        database.sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname");
    rows.concat().join(" ")
}

#[tokio::test]
async fn nothing_is_made_where_nothing_was_to_be_made() {
    let database = database();
    let error = refusal(options(database.url())).await;
    assert!(matches!(&error, OpenError::Absent(name) if name.ends_with(database.name())), "{error}");
    assert!(peek_postgres_key_check(&options(database.url())).await.expect("readable").is_none());
    assert_eq!(tables(&database), "");
}

#[tokio::test]
async fn a_store_that_is_there_opens_again() {
    let database = database();
    open(database.url()).await.close().await;
    assert!(peek_postgres_key_check(&options(database.url())).await.expect("a schema alone").is_none());
    database.sql("INSERT INTO key_check VALUES (1, decode(repeat('07', 16), 'hex'), 'sealed')");
    let store = PostgresStore::open(options(database.url())).await.expect("opens");
    let check = store.key_check().await.expect("readable").expect("there");
    assert_eq!(check.sealed, b"sealed");
    let peeked = peek_postgres_key_check(&options(&database.tcp_url())).await;
    assert_eq!(peeked.expect("readable"), Some(check));
    store.close().await;
    let closed = store.key_check().await.expect_err("closed");
    assert_eq!(*closed.kind(), ReadErrorKind::Unavailable);
    let closed = store.get(build::key(build::scope(), "none").spec.id, Freshness::Latest).await.expect_err("closed");
    assert_eq!(closed.to_string(), "the store is stopping");
}

#[tokio::test]
async fn nodes_may_start_together() {
    let database = database();
    let url = database.url();
    let (a, b, c) = tokio::join!(open(url), open(url), open(url));
    for store in [a, b, c] {
        assert!(store.regions().await.expect("readable").is_empty());
    }
    let twice = "SELECT version FROM seaql_migrations GROUP BY version HAVING count(*) <> 1";
    assert!(database.sql(twice).is_empty());
    assert_eq!(database.sql("SELECT count(*) > 0 FROM seaql_migrations"), [["t"]]);
}

#[tokio::test]
async fn texts_compare_bytewise_and_ciphertext_is_not_compressed() {
    let database = database();
    open(database.url()).await;
    let other = "SELECT table_name, column_name FROM information_schema.columns
                 WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')
                   AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'seaql_migrations'";
    assert!(database.sql(other).is_empty());
    let external = "SELECT attname FROM pg_attribute
                    WHERE attrelid = 'secret_versions'::regclass AND attstorage = 'e' ORDER BY attname";
    assert_eq!(database.sql(external), [["payload"], ["wrapped"]]);
    let first = database.sql("INSERT INTO audit_streams (id) VALUES (gen_random_uuid()) RETURNING ordinal");
    assert_eq!(first[0], ["1"]);
    assert!(!tables(&database).contains("materials"));
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let database = database();
    database.sql("CREATE TABLE recipes (title text)");
    let before = tables(&database);
    let error = refusal(options(database.url()).create()).await;
    assert!(matches!(&error, OpenError::NotAStore(name) if name.ends_with(database.name())), "{error}");
    let peeked = peek_postgres_key_check(&options(database.url())).await;
    assert!(matches!(peeked, Err(OpenError::NotAStore(_))));
    database.sql("CREATE TABLE seaql_migrations (version text, applied_at bigint)");
    database.sql("INSERT INTO seaql_migrations VALUES ('m0001_recipes', 0)");
    assert!(matches!(refusal(options(database.url()).create()).await, OpenError::NotAStore(_)));
    database.sql("DROP TABLE seaql_migrations");
    assert_eq!(tables(&database), before);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let database = database();
    open(database.url()).await;
    database.sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0999_far_future', 0)");
    let error = refusal(options(database.url())).await;
    assert!(matches!(&error, OpenError::Newer { step } if step == "m0999_far_future"), "{error}");
}

#[tokio::test]
async fn a_server_that_may_lose_commits_is_refused_unless_it_is_named() {
    let database = database();
    database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name()));
    let error = refusal(options(database.url()).create()).await;
    assert!(matches!(&error, OpenError::Unfit(why) if why.contains("synchronous_commit = off")), "{error}");
    let mut named = options(database.url()).create();
    named.allow_unsafe_durability = true;
    assert!(PostgresStore::open(named).await.is_ok());

    let cluster = Cluster::builder().set("fsync", "off").start();
    let database = cluster.database();
    let error = refusal(options(database.url()).create()).await;
    assert!(matches!(&error, OpenError::Unfit(why) if why.contains("fsync = off")), "{error}");
    assert_eq!(tables(&database), "");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_refused() {
    let database = database();
    database.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name()));
    let error = refusal(options(database.url()).create()).await;
    assert!(matches!(&error, OpenError::ReadOnly), "{error}");
}

#[tokio::test]
async fn a_user_without_rights_is_told_so() {
    let database = database();
    open(database.url()).await;
    let user = format!("reader_{}", database.name());
    database.sql(&format!("CREATE ROLE {user} LOGIN"));
    let error = refusal(options(&database.url_as(&user))).await;
    assert!(error.to_string().contains("lacks a privilege"), "{error}");
    database.sql(&format!("GRANT SELECT ON seaql_migrations TO {user}"));
    let store = PostgresStore::open(options(&database.url_as(&user))).await.expect("opens");
    let cold = store.regions().await.expect_err("no rights");
    let hot = store.get(build::key(build::scope(), "none").spec.id, Freshness::Latest).await.expect_err("no rights");
    for error in [cold, hot] {
        assert_eq!(*error.kind(), ReadErrorKind::Unavailable);
        assert!(error.to_string().contains("lacks a privilege"), "{error}");
    }
    drop(store);
    database.sql(&format!("DROP OWNED BY {user}"));
    database.sql(&format!("DROP ROLE {user}"));
}

async fn hot(store: &PostgresStore) -> Result<(), ReadError> {
    store.get(build::key(build::scope(), "none").spec.id, Freshness::Latest).await.map(|found| assert!(found.is_none()))
}

async fn cold(store: &PostgresStore) -> Result<(), ReadError> {
    store.regions().await.map(|found| assert!(found.is_empty()))
}

#[tokio::test]
async fn a_read_outlives_its_connection() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let store = open(database.url()).await;
    for _ in 0..3 {
        let (a, b, c) = tokio::join!(hot(&store), hot(&store), cold(&store));
        a.and(b).and(c).expect("readable");
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
        assert!(database.sql(ended).len() >= 3);
    }
    cluster.stop(Mode::Immediate);
    for error in [hot(&store).await, cold(&store).await] {
        assert_eq!(*error.expect_err("no server").kind(), ReadErrorKind::Unavailable);
    }
    cluster.start_again();
    hot(&store).await.expect("readable");
    cold(&store).await.expect("readable");
}

/// A session that holds a table until it is dropped.
async fn holding(database: &Database, table: &str) -> PgConnection {
    let mut session = PgConnection::connect(database.url()).await.expect("connects");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("BEGIN; LOCK TABLE {table}")))
        .execute(&mut session)
        .await
        .expect("locked");
    session
}

#[tokio::test]
async fn what_takes_too_long_is_told() {
    let database = database();
    let mut impatient = options(database.url()).create();
    impatient.lock_timeout = Duration::from_millis(100);
    let store = PostgresStore::open(impatient.clone()).await.expect("opens");
    impatient.lock_timeout = Duration::from_secs(60);
    impatient.statement_timeout = Duration::from_millis(100);
    let hurried = PostgresStore::open(impatient.clone()).await.expect("opens");
    impatient.statement_timeout = Duration::from_secs(60);
    impatient.acquire_timeout = Duration::from_millis(100);
    (impatient.hot_readers, impatient.readers) = (1, 1);
    let narrow = PostgresStore::open(impatient).await.expect("opens");

    let held = holding(&database, "kms_keys, regions").await;
    for (store, what) in [(&store, "lock timeout"), (&hurried, "statement timeout")] {
        for error in [hot(store).await, cold(store).await] {
            let error = error.expect_err("held");
            assert_eq!(*error.kind(), ReadErrorKind::Unavailable);
            assert!(error.to_string().contains(what), "{error}");
        }
    }
    let mut waiting = tokio::task::JoinSet::new();
    let narrow = std::sync::Arc::new(narrow);
    for _ in 0..2 {
        let (one, other) = (narrow.clone(), narrow.clone());
        waiting.spawn(async move { hot(&one).await });
        waiting.spawn(async move { cold(&other).await });
    }
    // Of each two one has the only connection, and the other gives up.
    for _ in 0..2 {
        let error = waiting.join_next().await.expect("a task").expect("no panic").expect_err("no connection");
        assert!(error.to_string().contains("every connection"), "{error}");
    }
    held.close().await.expect("closed");
    while let Some(read) = waiting.join_next().await {
        read.expect("no panic").expect("readable again");
    }
    for store in [&store, &hurried, &*narrow] {
        hot(store).await.expect("readable");
        cold(store).await.expect("readable");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = refusal(options(&format!("postgres:///vault?user=u&host={}", folder.path().display()))).await;
    assert!(matches!(&error, OpenError::Unreachable { what, .. } if what.contains("could not be made")), "{error}");
    let database = database();
    let error = refusal(options(&database.url().replace(database.name(), "no_such_database"))).await;
    assert!(error.to_string().contains("no database of that name"), "{error}");
}

#[tokio::test]
async fn a_server_proves_who_it_is() {
    let cluster = Cluster::builder().tls().start();
    let database = cluster.database();
    open(&cluster.tls_url(database.name())).await;
    let stranger = format!("{}?sslmode=verify-full", cluster.tcp_url(database.name()));
    let error = refusal(options(&stranger)).await;
    assert!(error.to_string().contains("secure connection"), "{error}");
}

#[tokio::test]
async fn damage_is_told_apart_from_trouble() {
    let database = database();
    let opened = common::postgres::open(database.url(), 1).await;
    let key = build::key(build::scope(), "orders");
    opened.ports().commit(units::of(vec![Change::InsertKey(key.clone())])).await;
    assert!(opened.store.get(key.spec.id, Freshness::Latest).await.expect("readable").is_some());
    database.sql("UPDATE kms_keys SET status = 'odd'");
    database.sql("INSERT INTO key_check VALUES (1, 'short', 'sealed')");
    let hot = opened.store.get(key.spec.id, Freshness::Latest).await.expect_err("damaged");
    let cold = opened.store.key_check().await.expect_err("damaged");
    for error in [hot, cold] {
        assert_eq!(*error.kind(), ReadErrorKind::Corrupt, "{error}");
    }
    database.sql("ALTER TABLE kms_keys ALTER COLUMN revision TYPE text");
    let wrong = opened.store.get(key.spec.id, Freshness::Latest).await.expect_err("not a number");
    assert_eq!(*wrong.kind(), ReadErrorKind::Corrupt, "{wrong}");
    assert!(matches!(peek_postgres_key_check(&options(database.url())).await, Err(OpenError::Corrupt(_))));
}

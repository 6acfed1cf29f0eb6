//! The contract suites over SQLite and PostgreSQL.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use async_trait::async_trait;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use strongroom_test_postgres::Database;
use strongroom_testkit::contract::{Remains, Store};

fn holds(file: PathBuf, bytes: &[u8]) -> bool {
    let content = std::fs::read(file).expect("readable");
    content.windows(bytes.len()).any(|window| window == bytes)
}

/// The files of SQLite: what is erased is not in the main file when that is answered, and not in the log a moment later.
struct Files(PathBuf);

#[async_trait]
impl Remains for Files {
    async fn at_once(&self, bytes: &[u8]) -> bool {
        holds(common::file(&self.0), bytes)
    }

    async fn soon(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(&self.0).expect("readable");
        files.into_iter().any(|file| holds(file.expect("readable").path(), bytes))
    }

    fn within(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// The tables of PostgreSQL: no statement finds what is erased once that is answered, and within a minute no page of these tables has a
/// row with it.
struct Tables(Arc<Database>);

impl Tables {
    fn any(&self, sql: &str) -> bool {
        self.0.sql(sql) != [["0"]]
    }
}

fn literal(bytes: &[u8]) -> String {
    let mut hex = String::new();
    bytes.iter().for_each(|byte| write!(hex, "{byte:02x}").expect("written"));
    format!("'\\x{hex}'::bytea")
}

#[async_trait]
impl Remains for Tables {
    async fn at_once(&self, bytes: &[u8]) -> bool {
        let bytes = literal(bytes);
        self.any(&format!(
            "SELECT (SELECT count(*) FROM secret_versions
                     WHERE position({bytes} IN payload) > 0 OR position({bytes} IN wrapped) > 0)
                  + (SELECT count(*) FROM kms_key_versions WHERE position({bytes} IN handle) > 0)"
        ))
    }

    async fn soon(&self, bytes: &[u8]) -> bool {
        let bytes = literal(bytes);
        self.0.sql("CREATE EXTENSION IF NOT EXISTS pageinspect");
        self.any(&format!(
            "SELECT count(*) FROM pg_class AS t
             CROSS JOIN LATERAL generate_series(0, pg_relation_size(t.oid) / 8192 - 1) AS page
             CROSS JOIN LATERAL heap_page_items(get_raw_page(t.oid::regclass::text, page::int))
             WHERE (t.oid IN ('secret_versions'::regclass, 'kms_key_versions'::regclass)
                    OR t.oid IN (SELECT reltoastrelid FROM pg_class
                                 WHERE oid IN ('secret_versions'::regclass, 'kms_key_versions'::regclass)))
                 AND position({bytes} IN t_data) > 0"
        ))
    }

    fn within(&self) -> Duration {
        Duration::from_secs(60)
    }
}

async fn empty_sqlite() -> Store {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files(folder.path().to_owned());
    common::open(folder.path()).await.ports().searched_by(files).keeping(folder)
}

async fn empty_postgres() -> Store {
    let database = Arc::new(strongroom_test_postgres::database());
    let store = common::postgres::open(database.url(), 9).await.ports();
    store.searched_by(Tables(Arc::clone(&database))).keeping(database)
}

strongroom_testkit::store_contract!(sqlite, empty_sqlite());
strongroom_testkit::store_contract!(postgres, empty_postgres());

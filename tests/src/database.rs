//! The database behind a data directory, where the tests run on PostgreSQL.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_test_postgres::Database;

/// Says on which kind of store the tests run: `sqlite`, which is the default, or `postgres`.
const STORE: &str = "STRONGROOM_TEST_STORE";

/// By the data directory that they belong to. Kept for as long as the test runs.
static DATABASES: Mutex<Option<HashMap<PathBuf, Arc<Database>>>> = Mutex::new(None);

/// Whether servers keep their store in PostgreSQL.
///
/// # Panics
/// When the variable names no kind of store.
#[must_use]
pub fn on_postgres() -> bool {
    match std::env::var(STORE).as_deref() {
        Err(_) | Ok("" | "sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("{STORE} is {other}; it may be sqlite or postgres"),
    }
}

/// The database of the servers over this data directory; none when they keep their store in the directory itself.
#[must_use]
pub fn database_of(data: &Path) -> Option<Arc<Database>> {
    if !on_postgres() {
        return None;
    }
    let data = std::path::absolute(data).expect("a path");
    let mut databases = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
    let databases = databases.get_or_insert_default();
    Some(Arc::clone(databases.entry(data).or_insert_with(|| Arc::new(strongroom_test_postgres::database()))))
}

//! SIGKILL of the server, with its store in PostgreSQL.

use super::place::Place;
use crate::audit_log::AuditLog;
use crate::kill::kill_again_and_again;

/// Fewer than on SQLite, since each check reads the whole log from another process.
const CLIENTS: usize = 4;
const ANSWERS: u64 = 150;

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    kill_again_and_again(|| place.dev(), || AuditLog::verify_in(&place.database), CLIENTS, ANSWERS);
}

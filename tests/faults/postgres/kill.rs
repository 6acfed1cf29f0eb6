//! SIGKILL of the server, with its store in PostgreSQL.

use super::place::Place;
use crate::audit_log::AuditLog;
use crate::kill::kill_again_and_again;
use crate::kill_keys::kill_while_keys_move;
use crate::kill_pruned::kill_while_puts_destroy;
use crate::kill_scheduled::{Backdoor, kill_while_due_keys_rotate};
use crate::root_key::Site;

/// Fewer than on SQLite, since each check reads the whole log from another process.
const CLIENTS: usize = 4;
const ANSWERS: u64 = 150;

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    kill_again_and_again(|| place.dev(), || AuditLog::verify_in(&place.database), CLIENTS, ANSWERS);
}

#[test]
fn kill_9_while_keys_move_leaves_every_secret_readable() {
    let place = Place::new();
    let site = Site::postgres(place.data.path(), place.database.url());
    kill_while_keys_move(|| place.dev(), || AuditLog::verify_in(&place.database), &site);
}

#[test]
fn kill_9_while_due_keys_rotate_leaves_each_rotated_once() {
    let place = Place::new();
    let ask = |sql: &str| place.number(sql);
    let change = |sql: &str| drop(place.database.sql(sql));
    let database = Backdoor { ask: &ask, change: &change };
    kill_while_due_keys_rotate(|| place.dev(), || AuditLog::verify_in(&place.database), &database);
}

#[test]
fn kill_9_while_puts_destroy_leaves_no_more_than_are_kept() {
    let place = Place::new();
    kill_while_puts_destroy(|| place.dev(), || AuditLog::verify_in(&place.database));
}

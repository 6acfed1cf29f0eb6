//! SIGKILL of the server, with its store in PostgreSQL.

use super::place::Place;
use crate::audit_log::AuditLog;
use crate::kill::kill_again_and_again;
use crate::kill_keys::{RotateRootKey, kill_while_keys_move, rotate_root_key};
use core::cell::Cell;
use std::sync::Arc;
use strongroom_tests::Launch;

/// Fewer than on SQLite, since each check reads the whole log from another process.
const CLIENTS: usize = 4;
const ANSWERS: u64 = 150;

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    kill_again_and_again(|| place.dev(), || AuditLog::verify_in(&place.database), CLIENTS, ANSWERS);
}

/// How many root keys are added at the most: each is read at every start.
const ROOT_KEYS: usize = 10;

#[test]
fn kill_9_while_keys_move_leaves_every_secret_readable() {
    let place = Place::new();
    let (data, url) = (place.data.path().to_owned(), place.database.url().to_owned());
    let added = Cell::new(0);
    let start = || {
        // Every server of a database is given the new key before it is taken into use.
        if data.join("root.key").is_file() && added.get() < ROOT_KEYS {
            let ended = Launch::new(&[&"rootkey", &"add", &"--data", &data]).run();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            added.set(added.get() + 1);
        }
        place.dev()
    };
    let rotate = rotate_root_key(&data);
    let rotate: RotateRootKey = Arc::new(move |address| rotate(address).variable("STRONGROOM_DATABASE", &url));
    kill_while_keys_move(start, || AuditLog::verify_in(&place.database), &rotate);
    assert!(added.get() > 0);
}

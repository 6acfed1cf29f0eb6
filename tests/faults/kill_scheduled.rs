//! SIGKILL in the middle of rotations that are due: the next start goes on with them, and each key is rotated once.

use crate::audit_log::AuditLog;
use crate::database;
use crate::kill::times;
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use strongroom_tests::{Client, Server, base64, wait_for};

/// How often, unless the environment says otherwise.
const KILLS: usize = 3;
/// How many keys are due at a time: enough for a kill to come between two of them.
const KEYS: u64 = 60;
/// After how many rotations of a round a kill comes.
const ROTATED: u64 = 10;

/// As if two days had passed since the last rotation of every key, and its lease were over.
const LATER: &str = "
    UPDATE kms_key_versions SET created_at = created_at - 172800000000;
    UPDATE kms_keys SET rotation_due_at = rotation_due_at - 172800000000;
    UPDATE leases SET expires_at = 0;";
/// As if the lease of a server that is gone were over.
const LEASES_END: &str = "UPDATE leases SET expires_at = 0;";
const VERSIONS: &str = "SELECT count(*) FROM kms_key_versions JOIN kms_keys ON id = key_id WHERE rotation_enabled";
/// Over all keys, how far apart those are with the most versions and with the fewest.
const SPREAD: &str = "
    SELECT max(versions) - min(versions) FROM (
        SELECT count(*) AS versions FROM kms_key_versions JOIN kms_keys ON id = key_id WHERE rotation_enabled GROUP BY id
    ) AS counts";
const RECORDS: &str = "SELECT count(*) FROM audit_records WHERE action = 'kms.rotate.scheduled' AND status = 200";

/// A database, to be asked and changed past the server.
pub(crate) struct Backdoor<'a> {
    pub(crate) ask: &'a dyn Fn(&str) -> u64,
    /// Only while no server runs.
    pub(crate) change: &'a dyn Fn(&str),
}

fn make_keys(client: &Client) {
    for number in 0..KEYS {
        let body = json!({"name": format!("daily {number}"), "keyRotationEnabled": true, "rotationPeriodInDays": 1});
        let key = client.post(client.keys(), &body).ok(201);
        let kms_key = key["identity"].as_str().expect("an identity").to_owned();
        let client = Client { kms_key, ..client.clone() };
        let _ = client.create(&format!("/daily/{number}"), format!("value {number}")).ok(201);
    }
}

fn check_secrets(client: &Client) {
    for number in 0..KEYS {
        let revealed = client.reveal(&format!("/daily/{number}"), None).ok(200);
        assert_eq!(revealed["secretString"], base64(format!("value {number}")));
    }
}

/// Lets all keys become due, kills the server while it rotates them, and starts it again; again and again.
pub(crate) fn kill_while_due_keys_rotate(
    start: impl Fn() -> Server,
    verify: impl Fn() -> AuditLog,
    database: &Backdoor<'_>,
) {
    let (kills, ask) = (times(KILLS) as u64, database.ask);
    let server = start();
    make_keys(&server.client());
    server.stop();
    let mut inside = 0;
    for kill in 1..=kills {
        (database.change)(LATER);
        let (before, all) = (ask(VERSIONS), KEYS * (1 + kill));
        assert_eq!(before, KEYS * kill);
        // The first round begins with the start.
        let server = start();
        let moment = before + 1 + RandomState::new().hash_one(kill) % ROTATED;
        let begun = wait_for(Duration::from_secs(60), || (ask(VERSIONS) >= moment).then_some(()));
        assert!(begun.is_some(), "the keys are due, and not rotated");
        server.kill();
        (database.change)(LEASES_END);
        let rotated = ask(VERSIONS) - before;
        inside += u64::from(rotated < KEYS);

        let server = start();
        let done = wait_for(Duration::from_secs(60), || (ask(VERSIONS) >= all).then_some(()));
        assert!(done.is_some(), "after kill {kill} only {} of {all} versions are there", ask(VERSIONS));
        check_secrets(&server.client());
        server.stop();
        assert_eq!((ask(VERSIONS), ask(SPREAD), ask(RECORDS)), (all, 0, KEYS * kill), "each key once");
        println!("kill {kill} after {rotated} of {KEYS} rotations");
    }
    println!("{inside} of {kills} kills inside a round; {} records in the log", verify().len());
    assert!(inside > 0, "no kill came into a rotation");
}

#[test]
fn kill_9_while_due_keys_rotate_leaves_each_rotated_once() {
    let data = tempfile::tempdir().unwrap();
    let ask = |sql: &str| {
        let number: i64 = database::open(data.path()).query_row(sql, [], |row| row.get(0)).unwrap();
        number.unsigned_abs()
    };
    let change = |sql: &str| {
        rusqlite::Connection::open(database::file(data.path())).unwrap().execute_batch(sql).unwrap();
    };
    let database = Backdoor { ask: &ask, change: &change };
    kill_while_due_keys_rotate(|| Server::dev(data.path()), || AuditLog::verify(data.path()), &database);
    database::check_integrity(data.path());
}

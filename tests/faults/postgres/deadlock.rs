//! Another session of the database takes the same locks in the other order; the database ends the server's transaction.

use super::place::Place;
use super::session::Session;
use crate::audit_log::AuditLog;
use std::time::Duration;
use strongroom_test_postgres::Cluster;
use strongroom_tests::{Answer, Client, wait_for};

const PATH: &str = "/deadlock/a";

/// What the server's statement does before it goes on: it tells that it is there, and waits until the other session waits for what it holds.
/// From then on only the deadlock ends its wait. When the other session has nothing any more, it just goes on.
const WAIT: &str = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(2);
        WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1)
              AND NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()) LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
        PERFORM set_config('lock_timeout', '0', true);
        RETURN NEW;
    END $$";

/// The server's call takes the row of the secret, and its statement waits as `slow` says, before it wants what the other session has,
/// as `first` says, which waits for the row of the secret meanwhile.
fn crossed(slow: &str, first: &str, call: impl Fn(&Client) -> Answer + Sync) -> Place {
    let place = Place::over(Cluster::builder().in_memory().set("deadlock_timeout", "10ms"));
    let server = place.dev();
    let client = server.client();
    client.create(PATH, "value 1").ok(201);
    client.put_value(PATH, "value 2").ok(201);
    place.database.sql(&format!("{WAIT}; CREATE TRIGGER wait {slow} EXECUTE FUNCTION wait()"));
    let mut other = Session::open(place.database.url());
    // The victim is who finds it.
    other.run("SET deadlock_timeout = '60s'");
    // The trigger is for the server.
    other.run("SET session_replication_role = replica");
    other.run("BEGIN");
    other.run("SELECT pg_advisory_xact_lock(1)");
    other.run(first);
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| call(&client));
        let is_there = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2";
        let found = wait_for(Duration::from_secs(10), || (place.number(is_there) > 0).then_some(()));
        assert!(found.is_some(), "the call does not come to its change");
        // In one message: once it has the row, it doesn't keep the server from it.
        other.run("SELECT FROM secrets FOR UPDATE \\; ROLLBACK");
        answer.join().unwrap()
    });
    assert!(answer.status < 300, "{answer:?}");
    let found = wait_for(Duration::from_secs(10), || place.cluster.log().contains("deadlock detected").then_some(()));
    assert!(found.is_some(), "there was no deadlock");
    server.stop();
    AuditLog::verify_in(&place.database);
    place
}

#[test]
fn a_put_is_done_after_a_deadlock() {
    // The same version is being written elsewhere.
    let place = crossed(
        "BEFORE INSERT ON secret_versions FOR EACH ROW",
        "INSERT INTO secret_versions SELECT (jsonb_populate_record(v, '{\"number\": 3}')).* FROM secret_versions v WHERE number = 2",
        |client| client.put_value(PATH, "value 3"),
    );
    assert_eq!(place.number("SELECT count(*) FROM secret_versions"), 3);
    let server = place.dev();
    let client = server.client();
    let revealed = client.reveal(PATH, None).ok(200);
    assert_eq!(revealed["secretString"], strongroom_tests::base64("value 3"));
    assert_eq!(client.describe(PATH).ok(200)["currentVersion"], 3);
}

#[test]
fn a_destroy_is_done_after_a_deadlock() {
    let place = crossed(
        "BEFORE UPDATE ON secret_versions FOR EACH STATEMENT",
        "SELECT FROM secret_versions WHERE number = 1 FOR UPDATE",
        |client| client.destroy(PATH, 1),
    );
    let server = place.dev();
    let client = server.client();
    client.reveal(PATH, Some(1)).error(404, "version_destroyed");
    assert_eq!(client.reveal(PATH, None).ok(200)["version"], 2);
}

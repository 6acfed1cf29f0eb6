//! Another session of the database takes the same locks in the other order; the database ends the server's transaction.

use super::place::Place;
use super::session::Session;
use crate::audit_log::AuditLog;
use std::time::Duration;
use strongroom_tests::{Answer, Client, wait_for};

const PATH: &str = "/deadlock/a";

/// The server's call takes the row of the secret and waits for what the other session has, as `first` says, which then wants the
/// row of the secret.
fn crossed(first: &str, call: impl Fn(&Client) -> Answer + Sync) -> Place {
    let place = Place::new();
    let server = place.dev();
    let client = server.client();
    for version in 1..=2 {
        match version {
            1 => client.create(PATH, "value 1").ok(201),
            _ => client.put_value(PATH, "value 2").ok(201),
        };
    }
    let mut other = Session::open(place.database.url());
    // The victim is who finds it.
    other.run("SET deadlock_timeout = '60s'");
    other.run("BEGIN");
    other.run(first);
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| call(&client));
        place.wait_for_waiting(1);
        other.run("SELECT FROM secrets FOR UPDATE");
        other.run("COMMIT");
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
    let place =
        crossed("LOCK TABLE secret_versions IN SHARE ROW EXCLUSIVE MODE", |client| client.put_value(PATH, "value 3"));
    assert_eq!(place.number("SELECT count(*) FROM secret_versions"), 3);
    let server = place.dev();
    let client = server.client();
    let revealed = client.reveal(PATH, None).ok(200);
    assert_eq!(revealed["secretString"], strongroom_tests::base64("value 3"));
    assert_eq!(client.describe(PATH).ok(200)["currentVersion"], 3);
}

#[test]
fn a_destroy_is_done_after_a_deadlock() {
    let place = crossed("SELECT FROM secret_versions WHERE number = 1 FOR UPDATE", |client| client.destroy(PATH, 1));
    let server = place.dev();
    let client = server.client();
    client.reveal(PATH, Some(1)).error(404, "version_destroyed");
    assert_eq!(client.reveal(PATH, None).ok(200)["version"], 2);
}

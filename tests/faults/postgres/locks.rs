//! A statement takes too long, because another session of the database has locked what it needs.

use super::place::{Place, expect_alive, expect_unavailable, is_ready, wait_until_done};
use super::session::Session;
use crate::audit_log::AuditLog;

const WRITERS: usize = 4;

/// Puts and reveals while another session keeps the table of secrets to itself.
fn locked(settings: &str, said: &str) {
    let place = Place::new();
    let url = place.database.url();
    let (server, client) = place.serve(url, settings);
    for writer in 0..WRITERS {
        client.create(&format!("/locks/{writer}"), "before").ok(201);
    }
    let mut other = Session::open(url);
    other.run("BEGIN");
    other.run("LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let client = &client;
            scope.spawn(move || expect_unavailable(client.put_value(&format!("/locks/{writer}"), "meanwhile")));
            scope.spawn(move || expect_unavailable(client.reveal(&format!("/locks/{writer}"), None)));
        }
        place.wait_for_waiting(1);
        expect_alive(&client);
        assert!(is_ready(&client), "nothing is wrong with the connections");
    });
    let log = server.stderr();
    assert!(log.contains(said), "the log does not say what happened: {log}");

    drop(other);
    for writer in 0..WRITERS {
        let path = format!("/locks/{writer}");
        wait_until_done(201, || client.put_value(&path, "after"));
        assert_eq!(client.reveal(&path, None).ok(200)["version"], 2, "a refused put was stored");
    }
    server.stop();
    AuditLog::verify_in(&place.database);
}

#[test]
fn the_lock_timeout_ends_the_wait() {
    locked("lock_timeout_seconds = 1", "waited longer for a lock than the lock timeout allows");
}

#[test]
fn the_statement_timeout_ends_a_slow_statement() {
    locked(
        "lock_timeout_seconds = 60\nstatement_timeout_seconds = 1",
        "did not finish a statement within the statement timeout",
    );
}

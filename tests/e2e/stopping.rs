//! Stopping, and what it does to those who are connected.

use crate::{Served, Stage, Table, records, text};
use core::time::Duration;
use rustix::process::Signal;
use serde_json::json;
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_tests::{Client, Connection, Server, base64, wait_for};

/// A connection on which a put has begun and lacks its end, which is given too.
fn half_a_put(client: &Client, path: &str) -> (Connection, Vec<u8>) {
    let body = json!({"secretString": base64("two")});
    let bytes = client.request("POST", format!("{}/versions", client.secret(path))).json(&body).bytes();
    let (start, end) = bytes.split_at(bytes.len() - 10);
    let mut connection = client.connect();
    connection.send(start).expect("sent");
    // Connections are accepted in order: an answer on a later one shows that this one was.
    let _ = client.get("/v1/regions").ok(200);
    (connection, end.to_vec())
}

#[test]
fn it_stops_in_order() {
    let mut table = Table::default();
    for (name, signal) in [("SIGTERM", Signal::TERM), ("SIGINT", Signal::INT)] {
        table.row(name, || {
            let stage = Stage::new();
            let client = &stage.client;
            let _ = client.create("/app/x", "one").ok(201);
            // An idle connection must not hold the stop up, a running request must be finished.
            let mut idle = client.connect();
            idle.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            assert_eq!(idle.answer().expect("an answer").status, 200);
            let (mut running, end) = half_a_put(client, "/app/x");
            stage.server.signal(signal);
            let closed = wait_for(Duration::from_secs(10), || Connection::open(client.address).is_err().then_some(()));
            assert!(closed.is_some(), "it still takes connections");
            running.send(&end).expect("sent");
            assert_eq!(running.answer().expect("an answer").ok(201)["version"], 2);
            let ended = stage.server.wait();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            let server = Server::dev(&stage.folder.path().join("data"));
            assert_eq!(text(&server.client().reveal("/app/x", None).ok(200), "secretString"), base64("two"));
        });
    }
    table.finish();
}

/// Whoever never comes to an end is not waited for beyond the grace period, nor after a second signal.
#[test]
fn the_patience_of_a_stop() {
    let mut table = Table::default();
    table.row("the grace period is over", || {
        let served = Served::new("nl-01", "shutdown_grace_seconds = 1");
        let _ = served.client.create("/app/x", "one").ok(201);
        let (mut running, _) = half_a_put(&served.client, "/app/x");
        served.server.stop();
        assert!(running.answer().is_err(), "half a request got an answer");
    });
    table.row("a second signal", || {
        let served = Served::new("nl-01", "shutdown_grace_seconds = 3600");
        let _ = served.client.create("/app/x", "one").ok(201);
        let (_running, _) = half_a_put(&served.client, "/app/x");
        served.server.signal(Signal::TERM);
        let address = served.client.address;
        let closed = wait_for(Duration::from_secs(10), || Connection::open(address).is_err().then_some(()));
        assert!(closed.is_some(), "it still takes connections");
        served.server.signal(Signal::TERM);
        let ended = served.server.wait();
        assert_eq!(ended.code, Some(128 + 15), "{ended:?}");
    });
    table.finish();
}

/// More connections than the operator allows wait for their turn; none is lost.
#[test]
fn more_connections_than_allowed() {
    let served = Served::new("nl-01", "max_connections = 2");
    let client = &served.client;
    let idle: Vec<_> = (0..2)
        .map(|_| {
            let mut connection = client.connect();
            connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            assert_eq!(connection.answer().expect("an answer").status, 200);
            connection
        })
        .collect();
    std::thread::scope(|scope| {
        let waiting = [(); 5].map(|()| scope.spawn(|| client.get("/v1/regions")));
        drop(idle);
        for call in waiting {
            let _ = call.join().expect("no panic").ok(200);
        }
    });
}

/// Failures that come in floods are only counted at first. A stop loses none.
#[test]
fn what_was_counted_is_recorded_at_the_stop() {
    const REFUSED: u64 = 50;
    let stage = Stage::new();
    for _ in 0..REFUSED {
        let _ = stage.client.get("/v1/regions").ok(200);
        let wrong = stage.client.request("GET", "/v1/regions").header("Authorization", "Bearer wrong");
        let _ = wrong.send().error(401, "unauthenticated");
    }
    let data = stage.data();
    let _ = stage.server.stop();
    let counted = |record: &AuditRecord| record.details.as_ref().and_then(|details| details.count).unwrap_or(1);
    let records = records(&data);
    let refusals: Vec<u64> =
        records.iter().filter(|record| record.action == Action::AuthFailure).map(counted).collect();
    assert_eq!(refusals.iter().sum::<u64>(), REFUSED, "{refusals:?}");
    assert!(
        refusals.len() < records.len() && refusals.iter().any(|count| *count > 1),
        "none of them was only counted: {refusals:?}"
    );
}

//! Requests with an `Idempotency-Key`, sent again.

use crate::{Stage, Table, text};
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, base64};

fn send(client: &Client, key: &str, target: String, body: &Value) -> Answer {
    client.request("POST", target).header("Idempotency-Key", key).json(body).send()
}

fn put(client: &Client, key: &str, path: &str, value: &str) -> Answer {
    send(client, key, format!("{}/versions", client.secret(path)), &json!({"secretString": base64(value)}))
}

#[track_caller]
fn same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, first.text()), (again.status, again.text()));
    for name in ["content-type", "location"] {
        assert_eq!(first.header(name), again.header(name), "{name}");
    }
}

#[test]
fn a_repeat_gets_the_first_answer() {
    let stage = Stage::new();
    let client = &stage.client;
    let body = client.new_secret("/app/x", "one");
    let created = send(client, "a key", client.secrets(), &body);
    assert_eq!(created.status, 201, "{created:?}");
    same(&created, &send(client, "a key", client.secrets(), &body));
    let first = put(client, "a key", "/app/x", "two");
    assert_eq!(first.clone().ok(201)["version"], 2, "another address is another request");
    same(&first, &put(client, "a key", "/app/x", "two"));
    // Also when the world has moved on meanwhile.
    assert_eq!(client.put_value("/app/x", "three").ok(201)["version"], 3);
    let _ = client.request("PATCH", client.secret("/app/x")).json(&json!({"description": "d"})).send().ok(200);
    same(&created, &send(client, "a key", client.secrets(), &body));
    same(&first, &put(client, "a key", "/app/x", "two"));
    assert_eq!(client.describe("/app/x").ok(200)["currentVersion"], 3);

    let _ = put(client, "a key", "/app/x", "another").error(422, "idempotency_mismatch");
    let mut other = body.clone();
    other["description"] = json!("d");
    let _ = send(client, "a key", client.secrets(), &other).error(422, "idempotency_mismatch");
    assert_eq!(put(client, "another key", "/app/x", "two").ok(201)["version"], 4);
    let _ = client.create("/app/y", "one").ok(201);
    assert_eq!(put(client, "a key", "/app/y", "two").ok(201)["version"], 2, "each path has keys of its own");

    // Remembered by the store, not by the process.
    let stage = stage.restart();
    same(&created, &send(&stage.client, "a key", stage.client.secrets(), &body));
    same(&first, &put(&stage.client, "a key", "/app/x", "two"));
    assert_eq!(stage.client.describe("/app/x").ok(200)["currentVersion"], 4);
}

#[test]
fn what_failed_is_not_remembered() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = put(client, "k", "/app/x", "one").error(404, "secret_not_found");
    let _ = client.create("/app/x", "zero").ok(201);
    assert_eq!(put(client, "k", "/app/x", "one").ok(201)["version"], 2);
    let versions = format!("{}/versions", client.secret("/app/x"));
    let stale = json!({"secretString": base64("x"), "expectedVersion": 3});
    let _ = send(client, "cas", versions.clone(), &stale).error(412, "version_mismatch");
    assert_eq!(client.put_value("/app/x", "three").ok(201)["version"], 3);
    let first = send(client, "cas", versions.clone(), &stale);
    assert_eq!(first.clone().ok(201)["version"], 4);
    same(&first, &send(client, "cas", versions, &stale));
}

#[test]
fn it_outlives_its_version_and_goes_with_its_secret() {
    let stage = Stage::new();
    let client = &stage.client;
    let body = client.new_secret("/app/x", "one");
    let created = send(client, "k", client.secrets(), &body);
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(put(client, "k", "/app/x", "two").ok(201)["version"], 2);
    assert_eq!(put(client, "k2", "/app/x", "three").ok(201)["version"], 3);
    client.destroy("/app/x", 2).empty();
    assert_eq!(put(client, "k", "/app/x", "two").ok(201)["version"], 2, "version 2 is gone, the answer is not");
    assert_eq!(put(client, "k", "/app/x", "other").ok(201)["version"], 2, "nothing tells of its body any more");
    assert_eq!(put(client, "k2", "/app/x", "three").ok(201)["version"], 3);
    let _ = put(client, "k2", "/app/x", "other").error(422, "idempotency_mismatch");
    assert_eq!(client.describe("/app/x").ok(200)["currentVersion"], 3);
    client.delete(client.secret("/app/x")).empty();
    let _ = put(client, "k2", "/app/x", "three").error(404, "secret_not_found");
    let again = send(client, "k", client.secrets(), &body).ok(201);
    assert_eq!(again["currentVersion"], 1);
    assert!(text(&again, "createdAt") > text(&created.json(), "createdAt"), "the old answer came back: {again}");
    assert_eq!(put(client, "k2", "/app/x", "other").ok(201)["version"], 2);
}

#[test]
fn keys_that_are_none() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let mut table = Table::default();
    for key in ["", &"k".repeat(256), "tab\there", "é"] {
        table.row(format!("{key:?}"), || {
            let _ = put(client, key, "/app/x", "two").refused(400);
        });
    }
    table.row("the longest", || {
        assert_eq!(put(client, &"~".repeat(255), "/app/x", "two").ok(201)["version"], 2);
    });
    table.finish();
}

#[test]
fn both_at_once() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    for round in 0..20_u64 {
        let key = format!("round {round}");
        let answers = std::thread::scope(|scope| {
            let calls = [(); 4].map(|()| scope.spawn(|| put(client, &key, "/app/x", "again")));
            calls.map(|call| call.join().expect("no panic"))
        });
        let done: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert!(!done.is_empty(), "{answers:?}");
        for answer in &done {
            assert_eq!(answer.json()["version"], round + 2);
        }
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let _ = answer.clone().error(409, "idempotency_running");
        }
    }
    assert_eq!(client.describe("/app/x").ok(200)["currentVersion"], 21);
}

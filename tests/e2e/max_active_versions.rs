//! How many active versions of a secret are kept: by the secret, and by the operator.

use crate::{Served, Stage, Table};
use core::time::Duration;
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, base64, wait_for};

/// Numbers of the versions that are active, and of those that are destroyed.
fn versions(client: &Client, path: &str) -> (Vec<u64>, Vec<u64>) {
    let shown = client.get(format!("{}?includeVersions=true", client.secret(path))).ok(200);
    let all = shown["versions"].as_array().expect("a list").iter();
    let (active, destroyed): (Vec<&Value>, Vec<&Value>) = all.partition(|version| version["status"] == "active");
    let numbers = |list: Vec<&Value>| list.into_iter().filter_map(|version| version["version"].as_u64()).collect();
    (numbers(active), numbers(destroyed))
}

fn create_keeping(client: &Client, path: &str, most: u64) -> Value {
    let mut body = client.new_secret(path, "1");
    body["maxActiveVersions"] = json!(most);
    client.post(client.secrets(), &body).ok(201)
}

fn keep(client: &Client, path: &str, most: Value) -> Answer {
    client.request("PATCH", client.secret(path)).json(&json!({"maxActiveVersions": most})).send()
}

/// The entries of what was destroyed, when there are so many: the index of the log is a moment behind.
fn destroyed_in_log(client: &Client, count: usize) -> Vec<Value> {
    let mut last = Value::Null;
    let all = wait_for(Duration::from_secs(30), || {
        last = client.get("/v1/audit?action=secret.version.destroy&limit=100").ok(200);
        last["items"].as_array().filter(|items| items.len() >= count).cloned()
    });
    all.unwrap_or_else(|| panic!("there are never {count} entries: {last:#}"))
}

#[test]
fn a_put_destroys_the_oldest() {
    let mut stage = Stage::new();
    assert_eq!(create_keeping(&stage.client, "/app/x", 2)["maxActiveVersions"], 2);
    for n in 2..=5 {
        assert_eq!(stage.client.put_value("/app/x", n.to_string()).ok(201)["version"], n);
        let first = (n - 1).max(1);
        assert_eq!(versions(&stage.client, "/app/x"), ((first..=n).collect(), (1..first).collect()));
    }
    let _ = stage.client.reveal("/app/x", Some(3)).error(404, "version_destroyed");
    assert_eq!(stage.client.reveal("/app/x", Some(4)).ok(200)["secretString"], base64("4"));
    assert_eq!(stage.client.reveal("/app/x", None).ok(200)["secretString"], base64("5"));
    let entries = destroyed_in_log(&stage.client, 3);
    assert_eq!(entries.len(), 3, "{entries:#?}");

    // It holds after a start as before.
    stage = stage.restart();
    let client = &stage.client;
    assert_eq!(client.describe("/app/x").ok(200)["maxActiveVersions"], 2);
    assert_eq!(client.put_value("/app/x", "6").ok(201)["version"], 6);
    assert_eq!(versions(client, "/app/x").0, [5, 6]);
    assert_eq!(keep(client, "/app/x", json!(1)).ok(200)["maxActiveVersions"], 1);
    assert_eq!(versions(client, "/app/x").0, [5, 6], "a patch destroys nothing");
    assert_eq!(client.put_value("/app/x", "7").ok(201)["version"], 7);
    assert_eq!(versions(client, "/app/x").0, [7]);
    assert_eq!(keep(client, "/app/x", Value::Null).ok(200).get("maxActiveVersions"), None);
    for n in 8..=10 {
        assert_eq!(client.put_value("/app/x", "n").ok(201)["version"], n);
    }
    assert_eq!(versions(client, "/app/x").0, [7, 8, 9, 10]);
}

#[test]
fn what_it_may_not_be() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "1").ok(201);
    let mut table = Table::default();
    for most in [json!(0), json!(-1), json!(100_001), json!(1.5), json!("2"), json!(u64::MAX), json!([1]), json!({})] {
        table.row(format!("patch {most}"), || {
            let (message, _) = keep(client, "/app/x", most.clone()).refused(400);
            assert!(message.contains("maxActiveVersions"), "the field is not named: {message}");
        });
        table.row(format!("create {most}"), || {
            let mut body = client.new_secret("/app/y", "1");
            body["maxActiveVersions"] = most.clone();
            let (message, _) = client.post(client.secrets(), &body).refused(400);
            assert!(message.contains("maxActiveVersions"), "the field is not named: {message}");
        });
    }
    table.finish();
    assert_eq!(client.describe("/app/x").ok(200)["objectVersion"], 1);
    let _ = client.describe("/app/y").refused(404);
}

#[test]
fn what_the_operator_keeps() {
    let mut served = Served::new("nl-01", "[limits]\nactive_versions = 5");
    let _ = served.client.create("/app/x", "1").ok(201);
    for _ in 2..=5 {
        let _ = served.client.put_value("/app/x", "n").ok(201);
    }
    let _ = served.client.put_value("/app/x", "6").error(409, "too_many_versions");
    served = served.with_settings("[limits]\nactive_versions = 5\nkeep_active_versions = 3");
    assert_eq!(versions(&served.client, "/app/x").0, [1, 2, 3, 4, 5], "a start destroys nothing");
    assert_eq!(served.client.put_value("/app/x", "6").ok(201)["version"], 6);
    assert_eq!(versions(&served.client, "/app/x").0, [4, 5, 6]);
    let client = &served.client;
    let _ = keep(client, "/app/x", json!(5)).ok(200);
    let _ = client.put_value("/app/x", "7").ok(201);
    assert_eq!(versions(client, "/app/x").0, [5, 6, 7], "the operator's is smaller");
    let _ = keep(client, "/app/x", json!(2)).ok(200);
    let _ = client.put_value("/app/x", "8").ok(201);
    assert_eq!(versions(client, "/app/x").0, [7, 8], "the secret's is smaller");
    // What was said under a higher limit can be said again; the lower one holds.
    let _ = keep(client, "/app/x", json!(6)).ok(200);
    let _ = client.put_value("/app/x", "9").ok(201);
    let _ = client.put_value("/app/x", "10").ok(201);
    assert_eq!(versions(client, "/app/x").0, [8, 9, 10]);
    let _ = keep(client, "/app/x", json!(100_001)).refused(400);
    served.server.stop();
}

/// A put that is tried again after its version is gone is no second put.
#[test]
fn a_retry_of_a_put_whose_version_is_gone() {
    let mut stage = Stage::new();
    let _ = create_keeping(&stage.client, "/app/x", 1);
    let put = |client: &Client, value: &str| {
        let target = format!("{}/versions", client.secret("/app/x"));
        let put = client.request("POST", target).header("Idempotency-Key", value);
        put.json(&json!({"secretString": base64(value)})).send()
    };
    let expect_same = |first: &Answer, again: &Answer| {
        assert_eq!((first.status, first.text()), (again.status, again.text()));
        assert_eq!(first.header("location"), again.header("location"));
    };
    let expect_second_is_current = |client: &Client| {
        assert_eq!(versions(client, "/app/x"), (vec![3], vec![1, 2]));
        let current = client.reveal("/app/x", None).ok(200);
        assert_eq!((&current["version"], &current["secretString"]), (&json!(3), &json!(base64("B"))));
        let _ = client.reveal("/app/x", Some(2)).error(404, "version_destroyed");
    };
    let first = put(&stage.client, "A");
    assert_eq!(first.clone().ok(201)["version"], 2);
    let second = put(&stage.client, "B");
    assert_eq!(second.clone().ok(201)["version"], 3);
    expect_second_is_current(&stage.client);
    let object_version = stage.client.describe("/app/x").ok(200)["objectVersion"].clone();
    for _ in 0..2 {
        expect_same(&first, &put(&stage.client, "A"));
        expect_same(&second, &put(&stage.client, "B"));
        expect_second_is_current(&stage.client);
        assert_eq!(stage.client.describe("/app/x").ok(200)["objectVersion"], object_version);
        assert_eq!(destroyed_in_log(&stage.client, 2).len(), 2, "a retry destroys nothing");
        stage = stage.restart();
    }
    assert_eq!(stage.client.put_value("/app/x", "C").ok(201)["version"], 4);
    expect_same(&first, &put(&stage.client, "A"));
    assert_eq!(versions(&stage.client, "/app/x"), (vec![4], vec![1, 2, 3]));
}

/// More than one put destroys, and more than one statement of a store holds.
#[test]
fn many_go_a_hundred_at_a_time() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "1").ok(201);
    let mut connection = client.connect();
    let put = client
        .request("POST", format!("{}/versions", client.secret("/app/x")))
        .header("Connection", "keep-alive")
        .json(&json!({"secretString": base64("n")}));
    let bytes = put.bytes();
    for expected in 2..=230_u64 {
        connection.send(&bytes).expect("sent");
        assert_eq!(connection.answer().expect("an answer").ok(201)["version"], expected);
    }
    let _ = keep(client, "/app/x", json!(10)).ok(200);
    for (number, left) in [(231_u64, 131), (232, 32), (233, 10), (234, 10)] {
        assert_eq!(client.put_value("/app/x", "n").ok(201)["version"], number);
        assert_eq!(versions(client, "/app/x").0, (number - left + 1..=number).collect::<Vec<_>>());
    }
    assert_eq!(client.describe("/app/x").ok(200)["currentVersion"], 234);
}

//! Numbers of versions that are none, versions that are not there, and how many there may be.

use crate::{Served, Stage, Table};
use serde_json::{Value, json};
use strongroom_tests::{Client, base64};

const REFUSED: [&str; 14] = [
    "0",
    "-1",
    "1.5",
    "1.0",
    "1e3",
    "1e0",
    "-0",
    "\"1\"",
    "\"\"",
    "true",
    "[1]",
    "{}",
    "18446744073709551616",
    "1e400",
];
/// Two numbers that are right in form, but beyond what there can be.
const BEYOND: [&str; 2] = ["9223372036854775808", "18446744073709551615"];

fn numbers(client: &Client, path: &str) -> Vec<u64> {
    let shown = client.get(format!("{}?includeVersions=true", client.secret(path))).ok(200);
    let versions = shown["versions"].as_array().expect("a list");
    versions.iter().map(|version| version["version"].as_u64().expect("a number")).collect()
}

#[test]
fn numbers_that_are_none() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let (value, versions) =
        (format!("{}/value", client.secret("/app/x")), format!("{}/versions", client.secret("/app/x")));
    let mut table = Table::default();
    for number in REFUSED {
        table.row(format!("reveal {number}"), || {
            let (message, _) =
                client.request("POST", &value).body(format!(r#"{{"version":{number}}}"#)).send().refused(400);
            assert!(message.contains("version"), "the field is not named: {message}");
        });
    }
    for number in BEYOND {
        table.row(format!("reveal {number}"), || {
            let answer = client.request("POST", &value).body(format!(r#"{{"version":{number}}}"#)).send();
            let status = answer.status;
            assert!(matches!(status, 400 | 404), "{answer:?}");
            let _ = answer.refused(status);
        });
        table.row(format!("destroy {number}"), || {
            let answer = client.delete(format!("{versions}?version={number}"));
            let status = answer.status;
            assert!(matches!(status, 400 | 404), "{answer:?}");
            let _ = answer.refused(status);
        });
    }
    for number in [
        "",
        "0",
        "-1",
        "1.5",
        "1.0",
        "1e3",
        "abc",
        "%31x",
        "1%20",
        "%201",
        "+1",
        "%2B1",
        "0x1",
        "1,2",
        "null",
        "%C2%B2",
        "%FF",
        "99999999999999999999",
    ] {
        table.row(format!("destroy {number}"), || {
            let _ = client.delete(format!("{versions}?version={number}")).refused(400);
        });
    }
    for query in ["?version", "?version=1&version=2", "?version=2&version=1", "?version=1&version="] {
        table.row(format!("destroy {query}"), || {
            let _ = client.delete(format!("{versions}{query}")).refused(400);
        });
    }
    for (member, number) in [
        ("expectedVersion", "-1"),
        ("expectedVersion", "1.5"),
        ("expectedVersion", "\"1\""),
        ("expectedVersion", "1e0"),
    ] {
        table.row(format!("{member} {number}"), || {
            let body = format!(r#"{{"secretString":"YQ==","{member}":{number}}}"#);
            let _ = client.request("POST", &versions).body(body).send().refused(400);
        });
    }
    for query in [
        "includeVersions=yes",
        "includeVersions=true&versionLimit=0",
        "includeVersions=true&versionLimit=x",
        "includeVersions=true&versionLimit=1001",
        "includeVersions=true&versionCursor=%00",
    ] {
        table.row(query, || {
            let _ = client.get(format!("{}?{query}", client.secret("/app/x"))).refused(400);
        });
    }
    table.finish();
    assert_eq!(client.describe("/app/x").ok(200)["objectVersion"], 1);
    assert_eq!(client.request("POST", &value).body(r#"{"version":null}"#).send().ok(200)["version"], 1);
    assert_eq!(client.request("POST", &value).body(r#"{"version":1}"#).send().ok(200)["version"], 1);
    let _ = client.reveal("/app/x", Some(2)).error(404, "version_not_found");
    let _ = client.destroy("/app/x", 2).error(404, "version_not_found");
}

#[test]
fn one_too_many() {
    let served = Served::new("nl-01", "[limits]\nactive_versions = 5");
    let client = &served.client;
    let _ = client.create("/app/x", "1").ok(201);
    for _ in 2..=5 {
        let _ = client.put_value("/app/x", "n").ok(201);
    }
    let message = client.put_value("/app/x", "6").error(409, "too_many_versions");
    assert!(message.contains('5') && message.to_lowercase().contains("destroy"), "what to do is not said: {message}");
    assert_eq!(numbers(client, "/app/x"), [1, 2, 3, 4, 5]);
    assert_eq!(client.describe("/app/x").ok(200)["objectVersion"], 5);
    client.destroy("/app/x", 2).empty();
    assert_eq!(client.put_value("/app/x", "6").ok(201)["version"], 6);
    let _ = client.put_value("/app/x", "7").error(409, "too_many_versions");
    assert_eq!(numbers(client, "/app/x"), [1, 2, 3, 4, 5, 6], "destroyed ones are shown, and don't count");
    served.server.stop();
}

#[test]
fn the_1001st() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "1").ok(201);
    let mut connection = client.connect();
    let body = json!({"secretString": base64("n")});
    let put = client
        .request("POST", format!("{}/versions", client.secret("/app/x")))
        .header("Connection", "keep-alive")
        .json(&body);
    let bytes = put.bytes();
    for expected in 2..=1_000 {
        connection.send(&bytes).expect("sent");
        assert_eq!(connection.answer().expect("an answer").ok(201)["version"], expected);
    }
    let message = client.put_value("/app/x", "1001").error(409, "too_many_versions");
    assert!(message.contains("1000"), "the limit is not named: {message}");
    assert_eq!(numbers(client, "/app/x"), (1..=1_000).collect::<Vec<_>>());
    assert_eq!(client.reveal("/app/x", Some(1)).ok(200)["secretString"], base64("1"));

    // Page by page they are the same.
    let mut found = Vec::new();
    let mut target = Some(format!("{}?includeVersions=true&versionLimit=300", client.secret("/app/x")));
    let mut pages = 0;
    while let Some(page) = target.take() {
        let answer = client.get(page).expect(200);
        let shown = answer.json();
        let versions: &Vec<Value> = shown["versions"].as_array().expect("a list");
        assert!(versions.len() <= 300);
        found.extend(versions.iter().map(|version| version["version"].as_u64().expect("a number")));
        target = crate::browse::next(&answer);
        pages += 1;
    }
    assert_eq!((found, pages), ((1..=1_000).collect::<Vec<_>>(), 4));
}

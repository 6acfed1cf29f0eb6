//! Descriptions, labels and annotations: their limits, on secrets and keys, at create and patch.

use crate::{Stage, Table};
use serde_json::{Map, Value, json};

fn entries(count: usize) -> Value {
    Value::Object((0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<Map<_, _>>())
}

#[test]
fn limits() {
    let stage = Stage::new();
    let client = &stage.client;
    let made = client.create("/app/there", "x").ok(201);
    let long_key = |length: usize| "k".repeat(length);
    let bad = [
        ("description", json!("ä".repeat(1025)), "description"),
        ("labels", entries(65), "labels"),
        ("annotations", entries(65), "annotations"),
        ("labels", json!({"": "v"}), "labels"),
        ("labels", json!({"-a": "v"}), "labels"),
        ("labels", json!({"a.": "v"}), "labels"),
        ("labels", json!({"a b": "v"}), "labels"),
        ("labels", json!({"ä": "v"}), "labels"),
        ("annotations", json!({"a\n": "v"}), "annotations"),
        ("labels", json!({long_key(318): "v"}), "labels"),
        ("annotations", json!({long_key(318): "v"}), "annotations"),
        ("labels", json!({"a": "v".repeat(256)}), "labels.a"),
        ("labels", json!({"a": "x\ny"}), "labels.a"),
        ("labels", json!({"a": "\0"}), "labels.a"),
        ("annotations", json!({"a": "v".repeat(16 * 1024 + 1)}), "annotations"),
        ("annotations", json!({"a": "ä".repeat(8 * 1024), "b": "v"}), "annotations"),
    ];
    let good = [
        ("description", json!("ä".repeat(1024))),
        ("description", json!("line\nline\t\u{0}")),
        ("labels", entries(64)),
        ("annotations", entries(64)),
        ("labels", json!({long_key(317): "ä".repeat(255)})),
        ("labels", json!({"a": "", "Kubernetes.io/app_name-x": "Any Thing: ü!"})),
        ("annotations", json!({"a": "v".repeat(16 * 1024)})),
        ("annotations", json!({long_key(317): "v".repeat(8 * 1024), "b": "ä".repeat(4 * 1024)})),
        ("annotations", json!({"a": "any\nthing\u{1}"})),
    ];
    let mut table = Table::default();
    for (member, value, named) in &bad {
        let shown: String = value.to_string().chars().take(40).collect();
        table.row(format!("create {member} {shown}"), || {
            let mut body = client.new_secret("/app/new", "x");
            body[*member] = value.clone();
            let message = client.post(client.secrets(), &body).error(400, "invalid_request");
            assert!(message.contains(named), "the field is not named: {message}");
        });
        table.row(format!("patch {member} {shown}"), || {
            let message = client.request("PATCH", client.secret("/app/there")).json(&json!({*member: value})).send();
            assert!(message.error(400, "invalid_request").contains(named), "the field is not named");
        });
        table.row(format!("key {member} {shown}"), || {
            let message =
                client.post(client.keys(), &json!({"name": "new", *member: value})).error(400, "invalid_request");
            assert!(message.contains(named), "the field is not named: {message}");
        });
    }
    table.row("nothing happened", || {
        let _ = client.describe("/app/new").error(404, "secret_not_found");
        assert_eq!(client.describe("/app/there").ok(200), made);
        assert_eq!(client.get(client.keys()).ok(200).as_array().map(Vec::len), Some(1));
    });
    for (number, (member, value)) in good.iter().enumerate() {
        let shown: String = value.to_string().chars().take(40).collect();
        table.row(format!("good {member} {shown}"), || {
            let path = format!("/good/{number}");
            let mut body = client.new_secret(&path, "x");
            body[*member] = value.clone();
            let _ = client.post(client.secrets(), &body).ok(201);
            assert_eq!(client.describe(&path).ok(200)[*member], *value);
            let name = format!("good {number}");
            let key = client.post(client.keys(), &json!({"name": name, *member: value})).ok(201);
            assert_eq!(key[*member], *value);
        });
    }
    table.row("a patch is held to the limits of the whole", || {
        let there = client.secret("/good/2");
        let _ = client
            .request("PATCH", &there)
            .json(&json!({"labels": {"one-more": "v"}}))
            .send()
            .error(400, "invalid_request");
        let exchange = json!({"labels": {"one-more": "v", "k0": null}});
        let labels = client.request("PATCH", &there).json(&exchange).send().ok(200)["labels"].clone();
        assert_eq!(labels.as_object().map(Map::len), Some(64));
    });
    table.finish();
}

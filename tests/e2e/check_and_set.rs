//! Puts that happen only when the current version is the expected one.

use crate::{Stage, Table};
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, base64};

/// A put with these expectations: in the body, in `If-Match`.
fn put(client: &Client, path: &str, member: Option<Value>, header: Option<&str>) -> Answer {
    let mut body = json!({"secretString": base64("n")});
    if let Some(expected) = member {
        body["expectedVersion"] = expected;
    }
    let mut request = client.request("POST", format!("{}/versions", client.secret(path))).json(&body);
    if let Some(expected) = header {
        request = request.header("If-Match", expected);
    }
    request.send()
}

#[test]
fn the_expected_version() {
    let stage = Stage::new();
    let client = &stage.client;
    let path = "/app/x";
    let _ = client.create(path, "one").ok(201);
    assert_eq!(put(client, path, Some(json!(1)), None).ok(201)["version"], 2);
    assert_eq!(put(client, path, None, Some("\"2\"")).ok(201)["version"], 3);
    assert_eq!(put(client, path, Some(json!(3)), Some("\"3\"")).ok(201)["version"], 4);
    assert_eq!(put(client, path, Some(json!(null)), None).ok(201)["version"], 5);

    let mut table = Table::default();
    for (member, header) in [
        (Some(json!(4)), None),
        (Some(json!(6)), None),
        (Some(json!(0)), None),
        (Some(json!(u64::MAX)), None),
        (None, Some("\"4\"")),
        (None, Some("\"0\"")),
        (Some(json!(4)), Some("\"4\"")),
    ] {
        table.row(format!("stale: {member:?} {header:?}"), || {
            let message = put(client, path, member.clone(), header).error(412, "version_mismatch");
            assert!(message.contains('5'), "the current version is not told: {message}");
        });
    }
    for (member, header) in [
        (Some(json!(5)), Some("\"4\"")),
        (Some(json!(4)), Some("\"5\"")),
        (None, Some("5")),
        (None, Some("\"x\"")),
        (None, Some("\"\"")),
        (None, Some("")),
        (None, Some("*")),
        (None, Some("\"4\", \"5\"")),
        (None, Some("\"-1\"")),
        (None, Some("\"5")),
    ] {
        table.row(format!("no expectation: {member:?} {header:?}"), || {
            let _ = put(client, path, member.clone(), header).refused(400);
        });
    }
    table.finish();
    assert_eq!(client.describe(path).ok(200)["objectVersion"], 5);

    // It is compared with the current version, not with the number of the last one.
    client.destroy(path, 5).empty();
    let _ = put(client, path, Some(json!(5)), None).error(412, "version_mismatch");
    assert_eq!(put(client, path, Some(json!(4)), None).ok(201)["version"], 6);
    for version in [1, 2, 3, 4, 6] {
        client.destroy(path, version).empty();
    }
    let _ = put(client, path, Some(json!(6)), None).error(412, "version_mismatch");
    assert_eq!(put(client, path, Some(json!(0)), None).ok(201)["version"], 7, "0 means that none is active");
}

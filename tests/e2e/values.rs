//! Values in every wrong form, at create and put, and at their limits.

use crate::{Served, Stage, Table, text};
use serde_json::{Value, json};
use strongroom_tests::{Client, base64, unbase64};

/// A body for create or put with these members added.
fn with(base: &Value, more: &Value) -> Value {
    let mut body = base.clone();
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// Where a value goes in: create and put, each with its address and the other members of its body.
fn doors(client: &Client) -> [(String, Value); 2] {
    [
        (client.secrets(), json!({"path": "/app/new", "kmsKeyIdentity": client.kms_key})),
        (format!("{}/versions", client.secret("/app/there")), json!({})),
    ]
}

/// A stage with one secret, which must be as it was when the test ends.
fn with_one_secret() -> Stage {
    let stage = Stage::new();
    let _ = stage.client.create("/app/there", "there").ok(201);
    stage
}

#[track_caller]
fn nothing_happened(client: &Client) {
    let _ = client.describe("/app/new").error(404, "secret_not_found");
    assert_eq!(client.describe("/app/there").ok(200)["objectVersion"], 1);
    assert_eq!(client.reveal("/app/there", None).ok(200)["secretString"], base64("there"));
}

#[test]
fn exactly_one_input() {
    let stage = with_one_secret();
    let client = &stage.client;
    let (one, two, three) = (json!("YQ=="), json!({"a": "YQ=="}), json!({"byteLength": 8}));
    let mut table = Table::default();
    for (address, base) in doors(client) {
        for inputs in [
            json!({}),
            json!({"secretString": null}),
            json!({"secretString": null, "secretKeyValues": null, "generateSecret": null}),
            json!({"secretString": one, "secretKeyValues": two}),
            json!({"secretString": one, "generateSecret": three}),
            json!({"secretKeyValues": two, "generateSecret": {}}),
            json!({"secretString": "", "secretKeyValues": two}),
            json!({"secretString": one, "secretKeyValues": two, "generateSecret": three}),
            json!({"secretString": one, "secretKeyValues": {}}),
            json!({"SecretString": one}),
        ] {
            table.row(format!("{address} {inputs}"), || {
                let (message, _) = client.post(&address, &with(&base, &inputs)).refused(400);
                for name in ["secretString", "secretKeyValues", "generateSecret"] {
                    assert!(message.contains(name), "it does not say how to give a value: {message}");
                }
            });
        }
    }
    table.finish();
    nothing_happened(client);
    let nulls = json!({"secretString": null, "secretKeyValues": null, "generateSecret": {"byteLength": 3}});
    for (address, base) in doors(client) {
        let _ = client.post(address, &with(&base, &nulls)).ok(201);
    }
}

#[test]
fn wrong_forms() {
    let stage = with_one_secret();
    let client = &stage.client;
    let long = "k".repeat(257);
    let many: serde_json::Map<_, _> = (0..257).map(|n| (format!("k{n}"), json!("YQ=="))).collect();
    let mut table = Table::default();
    for (address, base) in doors(client) {
        for (inputs, named) in [
            (json!({"secretKeyValues": {}}), "secretKeyValues"),
            (json!({"secretKeyValues": []}), "secretKeyValues"),
            (json!({"secretKeyValues": "YQ=="}), "secretKeyValues"),
            (json!({"secretKeyValues": {"": "YQ=="}}), "secretKeyValues"),
            (json!({"secretKeyValues": {"a b": "YQ=="}}), "secretKeyValues"),
            (json!({"secretKeyValues": {"é": "YQ=="}}), "secretKeyValues"),
            (json!({"secretKeyValues": {"a+b": "YQ=="}}), "secretKeyValues"),
            (json!({"secretKeyValues": {long.as_str(): "YQ=="}}), "secretKeyValues"),
            (json!({"secretKeyValues": many}), "secretKeyValues"),
            (json!({"secretKeyValues": {"a": 5}}), "secretKeyValues"),
            (json!({"secretKeyValues": {"a": null}}), "secretKeyValues"),
            (json!({"secretKeyValues": {"a": {"b": "YQ=="}}}), "secretKeyValues"),
            (json!({"secretString": 5}), "secretString"),
            (json!({"secretString": ["YQ=="]}), "secretString"),
            (json!({"secretString": true}), "secretString"),
            (json!({"generateSecret": 16}), "generateSecret"),
            (json!({"generateSecret": []}), "generateSecret"),
            (json!({"generateSecret": {"byteLength": -1}}), "byteLength"),
            (json!({"generateSecret": {"byteLength": 4097}}), "byteLength"),
            (json!({"generateSecret": {"byteLength": 1.5}}), "byteLength"),
            (json!({"generateSecret": {"byteLength": "16"}}), "byteLength"),
            (json!({"generateSecret": {"byteLength": 9_223_372_036_854_775_808_u64}}), "byteLength"),
        ] {
            table.row(format!("{address} {}", inputs.to_string().get(..60).unwrap_or("…")), || {
                let (message, _) = client.post(&address, &with(&base, &inputs)).refused(400);
                assert!(message.contains(named), "the field is not named: {message}");
            });
        }
    }
    table.finish();
    nothing_happened(client);
}

#[test]
fn bad_base64() {
    let stage = with_one_secret();
    let client = &stage.client;
    let mut table = Table::default();
    let bad = [
        "YQ",
        "YQ=",
        "YQ===",
        "Y",
        "Y===",
        "=",
        "====",
        "YWI",
        "YR==",
        "YWJ=",
        "YWI==",
        "_-8=",
        "-_-_",
        " YQ==",
        "YQ== ",
        "YQ==\n",
        "Y\nQ==",
        "YQ\r\n==",
        "YQ\t==",
        "YQ==YQ==",
        "YQ=a",
        "Y=Q=",
        "YQ==\0",
        "é",
        "YWJjé",
        "hunter2-is-plain!",
        "%59%51==",
        "YQ\u{200b}==",
    ];
    for (address, base) in doors(client) {
        for value in bad {
            let inputs = [
                (json!({"secretString": value}), "secretString"),
                (json!({"secretKeyValues": {"fine": "YQ==", "username": value}}), "secretKeyValues.username"),
            ];
            for (input, field) in inputs {
                table.row(format!("{address} {field} {value:?}"), || {
                    let (message, _) = client.post(&address, &with(&base, &input)).refused(400);
                    assert!(message.contains(field), "the field is not named: {message}");
                    assert!(message.contains("base64encode"), "the remedy is not named: {message}");
                    let shown = value.len() > 6 && message.contains(value);
                    assert!(!shown, "the message shows the value: {message}");
                });
            }
        }
    }
    table.finish();
    nothing_happened(client);
}

#[test]
fn all_bytes_and_none() {
    let stage = with_one_secret();
    let client = &stage.client;
    let all: Vec<u8> = (0..=255).collect();
    for value in [Vec::new(), vec![0], all, b"\xff\xfe\0\0".to_vec(), vec![b'x'; 65_536]] {
        let _ = client.put_value("/app/there", &value).ok(201);
        let revealed = client.reveal("/app/there", None).ok(200);
        assert!(unbase64(&text(&revealed, "secretString")) == value, "{} bytes came back changed", value.len());
    }
    let versions = format!("{}/versions", client.secret("/app/there"));
    let many: serde_json::Map<_, _> = (0..256).map(|n| (format!("{n:0>256}"), json!(base64([n as u8])))).collect();
    for inputs in [json!({"only": ""}), json!({"a": "", "b": base64([0]), "B": base64("b")}), Value::Object(many)] {
        let _ = client.post(&versions, &json!({"secretKeyValues": inputs})).ok(201);
        assert_eq!(client.reveal("/app/there", None).ok(200)["secretKeyValues"], inputs);
    }
    for length in [1, 4096] {
        let _ = client.post(&versions, &json!({"generateSecret": {"byteLength": length}})).ok(201);
        let revealed = client.reveal("/app/there", None).ok(200);
        assert_eq!(unbase64(&text(&revealed, "secretString")).len(), length);
    }
}

#[test]
fn over_the_limit() {
    let stage = with_one_secret();
    let client = &stage.client;
    let (part, rest) = (base64(vec![b'x'; 40_000]), base64(vec![b'x'; 25_537]));
    let mut table = Table::default();
    for (address, base) in doors(client) {
        for (name, inputs) in [
            ("one byte", json!({"secretString": base64(vec![b'x'; 65_537])})),
            ("far", json!({"secretString": base64(vec![b'x'; 200_000])})),
            ("together", json!({"secretKeyValues": {"a": part, "b": rest}})),
        ] {
            table.row(format!("{address} {name}"), || {
                let message = client.post(&address, &with(&base, &inputs)).error(413, "value_too_large");
                assert!(message.contains("65536"), "the limit is not named: {message}");
            });
        }
    }
    table.finish();
    nothing_happened(client);
}

#[test]
fn an_operators_limit() {
    let served = Served::new("nl-01", "[limits]\nvalue_bytes = 1024");
    let client = &served.client;
    let _ = client.create("/app/there", vec![b'x'; 1024]).ok(201);
    let message = client.put_value("/app/there", vec![b'x'; 1025]).error(413, "value_too_large");
    assert!(message.contains("1024"), "{message}");
    let message = client.create("/app/new", vec![b'x'; 1025]).error(413, "value_too_large");
    assert!(message.contains("1024"), "{message}");
    assert_eq!(client.describe("/app/there").ok(200)["currentVersion"], 1);
}

/// For clients that send values as they are.
#[test]
fn an_operators_plain_values() {
    let served = Served::new("nl-01", "[compatibility]\nplain_values = true");
    let client = &served.client;
    let plain = json!({"user": "admin!", "word": "pässword", "coded": base64("decoded"), "empty": "", "open": "YQ"});
    let body = json!({"path": "/app/x", "kmsKeyIdentity": client.kms_key, "secretKeyValues": plain});
    let _ = client.post(client.secrets(), &body).ok(201);
    let expected = json!({
        "user": base64("admin!"), "word": base64("pässword"), "coded": base64("decoded"), "empty": "", "open": base64("YQ"),
    });
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretKeyValues"], expected);
    let body = json!({"secretString": "not base64"});
    let _ = client.post(format!("{}/versions", client.secret("/app/x")), &body).ok(201);
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("not base64"));
}

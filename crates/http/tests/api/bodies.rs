//! Bodies of every kind.

use crate::support::{ADMIN, MAX_VALUE_LEN, Reply, Room};
use serde_json::{Value, json};

const CREATE: &str = "POST /v1/secrets/nl-01/secrets";
const PUT: &str = "POST /v1/secrets/nl-01/secret/a/versions";
const REVEAL: &str = "POST /v1/secrets/nl-01/secret/a/value";

/// Create and put take values alike; `value` is the members of an object.
async fn both(room: &Room, value: &str) -> [Reply; 2] {
    let authorization = [("authorization", "Bearer admin")];
    let create = format!(
        r#"{{"path":"/new","kmsKeyIdentity":"{}"{}{value}}}"#,
        room.key,
        if value.is_empty() { "" } else { "," }
    );
    let created = room.raw(CREATE, &authorization, create).await;
    let put = room.raw(PUT, &authorization, format!("{{{value}}}")).await;
    [created, put]
}

async fn versions(room: &Room) -> Value {
    assert_eq!(room.get("/v1/secrets/nl-01/secret/new").await.status, 404);
    room.get("/v1/secrets/nl-01/secret/a").await.json()["currentVersion"].clone()
}

#[tokio::test]
async fn values_that_are_not_exactly_one_or_not_well_formed_store_nothing() {
    let room = Room::new().await;
    room.secret("/a").await;
    for (value, named) in [
        ("", "There is no value"),
        (r#""secretString":null,"secretKeyValues":null,"generateSecret":null"#, "There is no value"),
        (r#""secretString":"YQ==","secretKeyValues":{"a":"YQ=="}"#, "more than one"),
        (r#""secretString":"YQ==","generateSecret":{}"#, "more than one"),
        (r#""secretKeyValues":{"a":"YQ=="},"generateSecret":{"byteLength":0}"#, "more than one"),
        (r#""secretString":"","secretKeyValues":{},"generateSecret":{}"#, "more than one"),
        (r#""secretKeyValues":{}"#, "`secretKeyValues`"),
        (r#""secretKeyValues":{"":"YQ=="}"#, "`secretKeyValues`"),
        (r#""secretKeyValues":{"a b":"YQ=="}"#, "`secretKeyValues`"),
        (r#""secretKeyValues":{"username":"plain text"}"#, "`secretKeyValues.username` is not base64"),
        (r#""secretKeyValues":{"username":5}"#, "`secretKeyValues.username` must be a string"),
        (r#""secretString":"YQ""#, "`secretString` is not base64"),
        (r#""secretString":"YR==""#, "`secretString` is not base64"),
        (r#""secretString":"_-8=""#, "`secretString` is not base64"),
        (r#""secretString":"YQ==\n""#, "`secretString` is not base64"),
        (r#""secretString":" YQ==""#, "`secretString` is not base64"),
        (r#""secretString":["YQ=="]"#, "`secretString` must be a string"),
        (r#""generateSecret":[]"#, "`generateSecret` must be an object"),
        (r#""generateSecret":{"byteLength":4097}"#, "`generateSecret.byteLength`"),
        (r#""generateSecret":{"byteLength":-1}"#, "`generateSecret.byteLength`"),
        (r#""generateSecret":{"byteLength":1.5}"#, "`generateSecret.byteLength`"),
        (r#""generateSecret":{"byteLength":"32"}"#, "`generateSecret.byteLength`"),
    ] {
        for reply in both(&room, value).await {
            assert_eq!(reply.status, 400, "{value}");
            assert!(reply.message().contains(named), "{value}: {}", reply.message());
            assert!(!reply.message().contains("plain text"), "{}", reply.message());
        }
    }
    assert_eq!(versions(&room).await, 1);
}

#[tokio::test]
async fn values_in_every_legal_form() {
    let room = Room::new().await;
    room.secret("/a").await;
    for (value, expected) in [
        (json!({ "secretString": "" }), json!({ "secretString": "" })),
        (json!({ "secretString": "//79", "generateSecret": null }), json!({ "secretString": "//79" })),
        (
            json!({ "secretKeyValues": { "z/1": "", "a.b_c-d": "YQ==" } }),
            json!({ "secretKeyValues": { "a.b_c-d": "YQ==", "z/1": "" } }),
        ),
    ] {
        let put = room.admin(PUT, value).await;
        assert_eq!(put.status, 201, "{}", put.message());
        let revealed = room.admin(REVEAL, Value::Null).await.json();
        for (name, text) in expected.as_object().expect("an object") {
            assert_eq!(&revealed[name], text);
        }
        assert!(revealed.get("secretString").is_none() || revealed.get("secretKeyValues").is_none());
        assert_eq!((&revealed["kmsKeyIdentity"], &revealed["kmsKeyVersion"]), (&json!(room.key), &json!("1")));
    }
    // An escaped spelling is the same text.
    let escaped =
        room.raw(PUT, &[("authorization", "Bearer admin")], r#"{"secretString":"Pz8\/\u0050w=\u003d"}"#).await;
    assert_eq!(escaped.status, 201, "{}", escaped.message());
    assert_eq!(room.admin(REVEAL, Value::Null).await.json()["secretString"], "Pz8/Pw==");
    for (length, bytes) in [(json!({}), 32_usize), (json!({ "byteLength": 0 }), 32), (json!({ "byteLength": 5 }), 5)] {
        assert_eq!(room.admin(PUT, json!({ "generateSecret": length })).await.status, 201);
        let text = room.admin(REVEAL, Value::Null).await.json()["secretString"].as_str().expect("a value").len();
        assert_eq!(text, bytes.div_ceil(3) * 4);
    }
}

#[tokio::test]
async fn sizes_have_their_limits() {
    let room = Room::new().await;
    room.secret("/a").await;
    let text = |bytes: usize| "QUFB".repeat(bytes / 3) + ["", "QQ==", "QUE="][bytes % 3];
    let full = json!({ "secretString": text(MAX_VALUE_LEN) });
    assert_eq!(room.admin(PUT, full).await.status, 201);
    let over = json!({ "secretString": text(MAX_VALUE_LEN + 1) });
    let reply = room.admin(PUT, over).await;
    assert_eq!(reply.verdict(), (413, "value_too_large".to_owned()));
    assert!(reply.message().contains("1024"), "{}", reply.message());
    let together = json!({ "secretKeyValues": { "a": text(MAX_VALUE_LEN / 2), "b": text(MAX_VALUE_LEN / 2 + 1) } });
    assert_eq!(room.admin(PUT, together).await.status, 413);
    // A body that is large but for its value is no matter, up to a point.
    let padded = |bytes: usize| format!("{}{{}}", " ".repeat(bytes - 2));
    for (request, limit) in
        [(PUT, 256 * 1024 + 1368), (REVEAL, 256 * 1024), ("PATCH /v1/secrets/nl-01/secret/a", 256 * 1024)]
    {
        let authorization = [("authorization", "Bearer admin")];
        let fine = room.raw(request, &authorization, padded(limit)).await;
        assert_ne!(fine.status, 413, "{request}");
        let over = room.raw(request, &authorization, padded(limit + 1)).await;
        assert_eq!(over.verdict(), (413, "body_too_large".to_owned()), "{request}");
    }
}

#[tokio::test]
async fn what_is_not_json_of_one_meaning_is_refused_everywhere() {
    let room = Room::new().await;
    room.secret("/a").await;
    let key = format!("/v1/kms/nl-01/keys/{}", room.key);
    let bomb = "[".repeat(100_000);
    let nested = format!(r#"{{"new":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    for request in [
        CREATE.to_owned(),
        PUT.to_owned(),
        REVEAL.to_owned(),
        "PATCH /v1/secrets/nl-01/secret/a".to_owned(),
        "PUT /v1/secrets/nl-01/secret/a/policy".to_owned(),
        "POST /v1/kms/nl-01/keys".to_owned(),
        format!("POST {key}/encrypt"),
        format!("POST {key}/decrypt"),
        format!("POST {key}/rotate"),
        format!("POST {key}/disable"),
    ] {
        for body in [
            "{",
            "nonsense",
            "{}{}",
            r#"{"a":1,"a":2}"#,
            r#"{"new":{"deep":[{"a":1,"\u0061":2}]}}"#,
            r#"{"secretString":"YQ==","secretString":"YQ=="}"#,
            bomb.as_str(),
            nested.as_str(),
            "\u{feff}{}",
        ] {
            let reply = room.raw(&request, &[("authorization", "Bearer admin")], body.to_owned()).await;
            assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{request} {body:.40}");
        }
        let reply = room.raw(&request, &[("authorization", "Bearer admin")], vec![b'"', 0xff, b'"']).await;
        assert_eq!(reply.status, 400, "{request}");
        for media in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
            let headers = [("authorization", "Bearer admin"), ("content-type", media)];
            let reply = room.raw(&request, &headers, "{}").await;
            assert_eq!(reply.verdict(), (415, "unsupported_media_type".to_owned()), "{request} {media}");
        }
    }
    let key = room.get(&key).await.json();
    assert_eq!((&key["status"], &key["latestVersion"]), (&json!("active"), &json!(1)));
}

#[tokio::test]
async fn media_types_and_unknown_members_that_are_fine() {
    let room = Room::new().await;
    room.secret("/a").await;
    let put = r#"{"secretString":"YQ==","notYetKnown":{"a":[1,2,{"b":null}]}}"#;
    for media in
        [&[][..], &[("content-type", "application/json")], &[("content-type", "application/JSON; charset=utf-8")]]
    {
        let headers = [&[("authorization", "Bearer admin")], media].concat();
        assert_eq!(room.raw(PUT, &headers, put).await.status, 201, "{media:?}");
    }
    for (media, status) in
        [("application/merge-patch+json", 200), ("application/json", 200), ("application/json-patch+json", 415)]
    {
        let headers = [("authorization", "Bearer admin"), ("content-type", media)];
        let reply = room.raw("PATCH /v1/secrets/nl-01/secret/a", &headers, r#"{"description":"x"}"#).await;
        assert_eq!(reply.status, status, "{media}");
    }
    // No body at all, with and without a type.
    for request in [REVEAL.to_owned(), format!("POST /v1/kms/nl-01/keys/{}/rotate", room.key)] {
        for media in [&[][..], &[("content-type", "text/plain")]] {
            let headers = [&[("authorization", "Bearer admin")], media].concat();
            assert_eq!(room.raw(&request, &headers, "").await.status, 200, "{request}");
        }
    }
    assert_eq!(room.call(ADMIN, PUT, Value::Null).await.status, 400);
}

#[tokio::test]
async fn patches_change_metadata_only() {
    let room = Room::new().await;
    room.secret("/a").await;
    let patch = "PATCH /v1/secrets/nl-01/secret/a";
    for member in ["kmsKeyIdentity", "path", "secretString", "accessPolicy", "name"] {
        let reply = room.admin(patch, json!({ "description": "x", member: "y" })).await;
        assert_eq!(reply.status, 400, "{member}");
        assert!(reply.message().contains(&format!("`{member}`")), "{}", reply.message());
    }
    let changed = room
        .admin(patch, json!({ "description": "d", "labels": { "a": "1", "b": "2" }, "annotations": { "n": "x" } }))
        .await;
    assert_eq!((changed.status, &changed.json()["objectVersion"]), (200, &json!(2)));
    let changed = room.admin(patch, json!({ "description": null, "labels": { "a": null, "c": "3" } })).await.json();
    assert_eq!(changed.get("description"), None);
    assert_eq!((&changed["labels"], &changed["annotations"]), (&json!({ "b": "2", "c": "3" }), &json!({ "n": "x" })));
    assert_eq!(changed, room.get("/v1/secrets/nl-01/secret/a").await.json());
    for bad in [
        json!({ "labels": { "a b": "x" } }),
        json!({ "labels": "x" }),
        json!({ "labels": { "a": 5 } }),
        json!({ "description": "x".repeat(1025) }),
    ] {
        assert_eq!(room.admin(patch, bad).await.status, 400);
    }
}

#[tokio::test]
async fn policies_are_strict() {
    let room = Room::new().await;
    room.secret("/a").await;
    let put = "PUT /v1/secrets/nl-01/secret/a/policy";
    let statements = r#"{"accessPolicy":{"statements":[{"principals":[],"effect":"Allow","actions":["read"]}]}}"#;
    let set = room.raw(put, &[("authorization", "Bearer admin")], statements).await;
    assert_eq!(set.status, 200, "{}", set.message());
    // Order and spelling as sent.
    let text = String::from_utf8(set.body.to_vec()).expect("UTF-8");
    assert!(text.contains(&statements[1..statements.len() - 1]), "{text}");
    for bad in [
        json!({}),
        json!({ "accessPolicy": { "rules": [] } }),
        json!({ "accessPolicy": [] }),
        json!({ "accessPolicy": { "conditions": [{ "type": "ip", "effect": "allow", "cidrs": ["10.0.0.1/8"] }] } }),
        json!({ "accessPolicy": { "conditions": [{ "type": "time", "effect": "allow", "startHour": 1.5, "endHour": 3, "timezone": "UTC" }] } }),
        json!({ "accessPolicy": { "statements": [{ "effect": "Allow" }], "allowed": [{ "type": "ip", "ips": ["10.0.0.0/8"] }] } }),
    ] {
        let reply = room.admin(put, bad.clone()).await;
        assert_eq!(reply.status, 400, "{bad}");
        assert!(reply.message().contains("accessPolicy"), "{}", reply.message());
    }
    assert!(room.get("/v1/secrets/nl-01/secret/a").await.json()["accessPolicy"]["statements"].is_array());
    for clear in [
        json!({ "accessPolicy": null }),
        json!({ "accessPolicy": {} }),
        json!({ "accessPolicy": { "statements": [] } }),
    ] {
        assert_eq!(room.admin(put, clear).await.json().get("accessPolicy"), None);
    }
}

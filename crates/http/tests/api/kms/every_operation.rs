//! What stands before every operation on keys: gate, region, permission; and the state of the key behind it.

use super::{KEYS, bytes, done, post};
use crate::support::{ADMIN, NOBODY, Reply, Room};
use serde_json::{Value, json};

/// Method and what follows the key; a body that it takes; the type of a key that can do it; whether it is done in no other state than
/// `active`.
const OPERATIONS: [(&str, &str, &str, &str, bool); 17] = [
    ("POST", "/encrypt", r#"{"plaintext":"YQ=="}"#, "aes256-gcm96", true),
    ("POST", "/decrypt", r#"{"ciphertext":"thalassa:v1:AAAA"}"#, "aes256-gcm96", true),
    ("POST", "/sign", r#"{"input":"YQ=="}"#, "ed25519", true),
    ("POST", "/verify", r#"{"input":"YQ==","signature":""}"#, "ed25519", true),
    ("POST", "/hmac", r#"{"input":"YQ=="}"#, "hmac", true),
    ("POST", "/verify-hmac", r#"{"input":"YQ==","hmac":""}"#, "hmac", true),
    ("POST", "/export", "null", "aes256-gcm96", true),
    ("POST", "/rotate", "null", "ed25519", true),
    ("POST", "/rewrap", "null", "aes256-gcm96", true),
    ("POST", "/retire", "null", "hmac", true),
    ("GET", "/public-key", "null", "ed25519", false),
    ("GET", "/inventory", "null", "aes256-gcm96", false),
    ("PATCH", "/rotation", "{}", "aes256-gcm96", false),
    ("POST", "/enable", "null", "aes256-gcm96", false),
    ("POST", "/disable", "null", "aes256-gcm96", false),
    ("DELETE", "", "null", "aes256-gcm96", false),
    ("DELETE", "/cancel-deletion", "null", "aes256-gcm96", false),
];

fn body(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// All of an answer but the id of its request.
fn plain(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.body).replace(reply.header("x-request-id"), "");
    format!("{} {text}", reply.status)
}

#[tokio::test]
async fn a_denied_key_looks_as_one_that_is_not_there() {
    let room = Room::new().await;
    let unknown = plain(&room.get(&format!("{KEYS}/kms-00000000000000000000000000")).await);
    assert!(unknown.starts_with("404 "), "{unknown}");
    for (method, suffix, sent, ..) in OPERATIONS {
        for (token, name) in [
            (NOBODY, room.key.as_str()),
            (NOBODY, "app-key"),
            (NOBODY, "nothing"),
            (ADMIN, "nothing"),
            (ADMIN, "kms-x"),
            (ADMIN, "kms-00000000000000000000000000"),
        ] {
            for sent in [body(sent), Value::Null, json!([])] {
                let reply = room.call(token, &format!("{method} {KEYS}/{name}{suffix}"), sent).await;
                assert_eq!(plain(&reply), unknown, "{method} {suffix} {token} {name}");
            }
        }
    }
}

#[tokio::test]
async fn gates_and_regions() {
    let room = Room::new().await;
    let no_kms = [("authorization", "Bearer everywhere"), ("x-organisation-identity", "no-kms")];
    let operations: Vec<_> = OPERATIONS
        .iter()
        .map(|(method, suffix, ..)| (*method, format!("/keys/app-key{suffix}")))
        .chain([("GET", "/wrapping-key".to_owned()), ("POST", "/keys".to_owned())])
        .collect();
    for (method, rest) in operations {
        let reply = room.raw(&format!("{method} /v1/kms/nl-01{rest}"), &no_kms, "").await;
        assert_eq!(reply.verdict(), (403, "feature_disabled".to_owned()), "{method} {rest}");
        let reply = room.admin(&format!("{method} /v1/kms/xx-01{rest}"), Value::Null).await;
        assert_eq!(reply.verdict(), (404, "region_not_found".to_owned()), "{method} {rest}");
    }
}

/// A region whose KMS was switched off still knows its keys.
#[tokio::test]
async fn a_region_without_a_kms() {
    let room = Room::new().await;
    for region in ["de-01", "fr-01"] {
        for request in [format!("GET /v1/kms/{region}/wrapping-key"), format!("GET /v1/kms/{region}/keys")] {
            let reply = room.admin(&request, Value::Null).await;
            assert_eq!(reply.verdict(), (503, "kms_not_configured".to_owned()), "{request}");
            assert_eq!(reply.header("retry-after"), "1");
        }
        let reply = room.admin(&format!("POST /v1/kms/{region}/keys"), json!({ "name": "x" })).await;
        assert_eq!(reply.verdict(), (503, "kms_not_configured".to_owned()));
    }
}

#[tokio::test]
async fn operations_in_every_state() {
    let room = Room::new().await;
    for (method, suffix, sent, key_type, only_active) in OPERATIONS {
        let key = room.key_of(key_type).await;
        let send = async || room.admin(&format!("{method} {key}{suffix}"), body(sent)).await;
        let active = send().await;
        let expected = if suffix == "/decrypt" { (400, "invalid_ciphertext") } else { (200, "") };
        assert_eq!((active.status, active.code().as_str()), expected, "{suffix}: {}", active.message());
        done(&room.admin(&format!("DELETE {key}/cancel-deletion"), Value::Null).await);
        done(&post(&room, &format!("{key}/disable"), Value::Null).await);
        let disabled = send().await;
        let expected = if only_active { (400, "kms_key_unusable") } else { (200, "") };
        assert_eq!((disabled.status, disabled.code().as_str()), expected, "{suffix}: {}", disabled.message());
        done(&room.admin(&format!("DELETE {key}"), Value::Null).await);
        let pending = send().await;
        let is_open = matches!(suffix, "" | "/cancel-deletion" | "/public-key" | "/inventory");
        let expected = if is_open { (200, "") } else { (400, "key_pending_deletion") };
        assert_eq!((pending.status, pending.code().as_str()), expected, "{suffix}: {}", pending.message());
        // Its name is free for the next of its type.
        done(&room.admin(&format!("DELETE {key}"), Value::Null).await);
    }
}

#[tokio::test]
async fn a_key_does_what_its_type_can() {
    let room = Room::new().await;
    for (key_type, can) in [
        ("aes128-gcm96", &["/encrypt"][..]),
        ("chacha20-poly1305", &["/encrypt"]),
        ("ecdsa-p256", &["/sign", "/verify", "/public-key"]),
        ("ed25519", &["/sign", "/verify", "/public-key"]),
        ("hmac", &["/hmac", "/verify-hmac"]),
    ] {
        let key = room.key_of(key_type).await;
        for (method, suffix, sent, ..) in &OPERATIONS[..11] {
            if matches!(*suffix, "/decrypt" | "/export" | "/rotate" | "/rewrap" | "/retire") {
                continue;
            }
            let reply = room.admin(&format!("{method} {key}{suffix}"), body(sent)).await;
            let expected = if can.contains(suffix) { (200, "") } else { (400, "unsupported_operation") };
            assert_eq!((reply.status, reply.code().as_str()), expected, "{key_type} {suffix}: {}", reply.message());
            assert!(reply.status == 200 || reply.message().contains(key_type), "{}", reply.message());
        }
    }
}

/// The body is read only for those who may, and a key's state comes behind what is wrong with it.
#[tokio::test]
async fn the_order_of_checks() {
    let room = Room::new().await;
    let key = room.key_of("ed25519").await;
    done(&post(&room, &format!("{key}/disable"), Value::Null).await);
    let text = [("content-type", "text/plain")];
    let admin = [("authorization", "Bearer admin")];
    for (token, headers, sent, expected) in [
        ("Bearer read-scope", &text[..], "{", (403, "insufficient_scope")),
        ("Bearer nobody", &text, "{", (404, "kms_key_not_found")),
        ("Bearer admin", &text, "{", (415, "unsupported_media_type")),
        ("Bearer admin", &[], "{", (400, "invalid_request")),
        ("Bearer admin", &[], r#"{"input":"!"}"#, (400, "invalid_request")),
        ("Bearer admin", &[], r#"{"input":"YQ==","keyVersion":"7"}"#, (400, "kms_key_version_not_found")),
        ("Bearer admin", &[], r#"{"input":"YQ=="}"#, (400, "kms_key_unusable")),
    ] {
        let headers = [&[("authorization", token)], headers].concat();
        let reply = room.raw(&format!("POST {key}/sign"), &headers, sent).await;
        assert_eq!((reply.status, reply.code().as_str()), expected, "{token} {sent}: {}", reply.message());
    }
    let large = format!("{{\"input\":\"{}\"}}", bytes(256 * 1024));
    for suffix in ["sign", "verify", "hmac", "verify-hmac"] {
        let reply = room.raw(&format!("POST {key}/{suffix}"), &admin, large.clone()).await;
        assert_eq!(reply.verdict(), (413, "body_too_large".to_owned()), "{suffix}");
    }
}

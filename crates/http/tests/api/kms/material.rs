//! What of a key's material can be seen: the public part, and all of it where the key was made so.

use super::{KEYS, bytes, done, post, refused, text};
use crate::support::Room;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[tokio::test]
async fn public_keys_by_version() {
    let room = Room::new().await;
    for key_type in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519"] {
        let key = room.key_of(key_type).await;
        assert_eq!(post(&room, &format!("{key}/rotate"), Value::Null).await.status, 200);
        let all = done(&room.get(&format!("{key}/public-key")).await);
        assert_eq!(all["keys"].as_object().map(serde_json::Map::len), Some(2), "{all}");
        let (first, second) = (text(&all["keys"], "1"), text(&all["keys"], "2"));
        assert_ne!(first, second);
        for text in [&first, &second] {
            if key_type == "ed25519" {
                assert_eq!(STANDARD.decode(text).map(|bytes| bytes.len()).ok(), Some(32), "{text}");
            } else {
                assert!(text.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{text}");
            }
        }
        for (version, expected) in [("1", &first), ("2", &second)] {
            let one = done(&room.get(&format!("{key}/public-key?version={version}")).await);
            assert_eq!(one, json!({ "keys": { version: expected } }), "{key_type}");
        }
    }
    let key = room.key_of("chacha20-poly1305").await;
    let reply = room.get(&format!("{key}/public-key")).await;
    refused(&reply, "unsupported_operation", "chacha20-poly1305", &Value::Null);
}

#[tokio::test]
async fn a_version_in_the_query_is_a_number() {
    let room = Room::new().await;
    let key = room.key_of("ed25519").await;
    for bad in ["", "0", "v1", "01", "%201", "4294967296"] {
        let reply = room.get(&format!("{key}/public-key?version={bad}")).await;
        refused(&reply, "invalid_request", "`version` is a key version's number", &json!(bad));
    }
    let reply = room.get(&format!("{key}/public-key?version=2")).await;
    assert_eq!(reply.verdict(), (400, "kms_key_version_not_found".to_owned()));
    // The form of the URL comes before credentials.
    let reply = room.raw(&format!("GET {key}/public-key?version=x"), &[], "").await;
    assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn material_of_keys_that_were_made_to_give_it_out() {
    let room = Room::new().await;
    for (key_type, len) in [
        ("aes128-gcm96", 16),
        ("aes256-gcm96", 32),
        ("chacha20-poly1305", 32),
        ("hmac", 32),
        ("hmac-sha256", 32),
        ("hmac-sha512", 64),
    ] {
        let key = room.key_of(key_type).await;
        let first = post(&room, &format!("{key}/export"), Value::Null).await;
        assert_eq!(first.header("cache-control"), "no-store");
        let first = done(&first);
        assert_eq!(first["keyVersion"], json!("1"));
        let material = STANDARD.decode(text(&first, "keyMaterial")).expect("base64");
        assert_eq!(material.len(), len, "{key_type}");
        assert_eq!(post(&room, &format!("{key}/rotate"), Value::Null).await.status, 200);
        let newest = done(&post(&room, &format!("{key}/export"), json!({})).await);
        assert_eq!(newest["keyVersion"], json!("2"));
        assert_ne!(newest["keyMaterial"], first["keyMaterial"]);
        let again = done(&post(&room, &format!("{key}/export"), json!({ "keyVersion": "1" })).await);
        assert_eq!(again, first);
    }
    let key = room.key_of("ed25519").await;
    let pkcs8 = STANDARD.decode(text(&done(&post(&room, &format!("{key}/export"), Value::Null).await), "keyMaterial"));
    assert_eq!(pkcs8.expect("base64").first(), Some(&0x30), "a sequence of DER");
}

#[tokio::test]
async fn material_stays_inside_otherwise() {
    let room = Room::new().await;
    let url = format!("{KEYS}/{}", room.key);
    let reply = post(&room, &format!("{url}/export"), Value::Null).await;
    refused(&reply, "export_not_allowed", "exportAllowed", &Value::Null);
    let key = room.key_of("hmac").await;
    for (body, code) in [
        (json!({ "keyVersion": 1 }), "invalid_request"),
        (json!({ "keyVersion": "" }), "invalid_request"),
        (json!({ "keyVersion": "2" }), "kms_key_version_not_found"),
        (json!([]), "invalid_request"),
    ] {
        refused(&post(&room, &format!("{key}/export"), body.clone()).await, code, "", &body);
    }
    assert_eq!(post(&room, &format!("{key}/disable"), Value::Null).await.status, 200);
    refused(&post(&room, &format!("{key}/export"), Value::Null).await, "kms_key_unusable", "disabled", &Value::Null);
}

#[tokio::test]
async fn neither_messages_nor_material_stand_in_the_records() {
    let room = Room::new().await;
    let key = room.key_of("hmac").await;
    let before = room.records_after(0).await.len();
    let made = done(&post(&room, &format!("{key}/hmac"), json!({ "input": bytes(99) })).await);
    let exported = done(&post(&room, &format!("{key}/export"), Value::Null).await);
    let verify = json!({ "input": bytes(99), "hmac": text(&made, "hmac") });
    done(&post(&room, &format!("{key}/verify-hmac"), verify).await);
    let records = room.records_after(before).await;
    let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
    assert_eq!(actions, ["kms.hmac", "kms.export", "kms.verify_hmac"]);
    let written = format!("{records:?}");
    for secret in [bytes(99), text(&exported, "keyMaterial"), text(&made, "hmac")] {
        assert!(!written.contains(&secret));
    }
}

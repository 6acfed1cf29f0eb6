//! What records of operations with keys tell: the key's slug and type, and how much went in and out.

use super::{KEYS, bytes, done, post, text};
use crate::support::{NOBODY, Reply, Room};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom_domain::audit::{AuditRecord, Details, Outcome};
use strongroom_domain::kms::KeyType;

/// How many bytes a text in base64 holds, behind the prefix that names the version.
fn len(answer: &Value, member: &str) -> u64 {
    let text = text(answer, member);
    STANDARD.decode(text.rsplit(':').next().unwrap_or_default()).expect("base64").len() as u64
}

/// Sends; gives the answer and the only record of it.
async fn recorded(room: &Room, request: &str, body: Value) -> (Reply, AuditRecord) {
    let before = room.records_after(0).await.len();
    let reply = room.admin(request, body).await;
    let mut records = room.records_after(before).await;
    assert_eq!(records.len(), 1, "{request}: {records:?}");
    let record = records.remove(0);
    assert_eq!(record.status, reply.status, "{request}");
    (reply, record)
}

fn told(record: &AuditRecord) -> Details {
    record.details.as_deref().cloned().unwrap_or_default()
}

fn of(slug: &str, key_type: KeyType, bytes_in: Option<u64>, bytes_out: Option<u64>) -> Details {
    Details {
        key_slug: Some(slug.to_owned()),
        key_type: Some(key_type),
        bytes_in,
        bytes_out,
        count: None,
        access: None,
    }
}

#[tokio::test]
async fn uses_of_a_key_tell_how_much_went_in_and_out() {
    let room = Room::new().await;
    for key_type in ["aes256-gcm96", "ed25519", "hmac"] {
        let url = room.key_of(key_type).await;
        let named: KeyType = KeyType::from_name(key_type).expect("a type");
        let each = |what: &str| format!("POST {url}/{what}");
        let input = json!({ "input": bytes(100) });
        match key_type {
            "aes256-gcm96" => {
                let (reply, record) = recorded(&room, &each("encrypt"), json!({ "plaintext": bytes(100) })).await;
                let answer = done(&reply);
                let size = len(&answer, "ciphertext");
                assert_eq!(told(&record), of(key_type, named, Some(100), Some(size)));
                let body = json!({ "ciphertext": answer["ciphertext"] });
                let (reply, record) = recorded(&room, &each("decrypt"), body).await;
                assert_eq!(len(&done(&reply), "plaintext"), 100);
                assert_eq!(told(&record), of(key_type, named, Some(size), Some(100)));
                let (reply, record) = recorded(&room, &each("export"), Value::Null).await;
                let size = len(&done(&reply), "keyMaterial");
                assert_eq!(told(&record), of(key_type, named, None, Some(size)));
                let (_, record) = recorded(&room, &each("rewrap"), Value::Null).await;
                assert_eq!(told(&record), Details { count: Some(0), ..of(key_type, named, None, None) });
            }
            "ed25519" => {
                let (reply, record) = recorded(&room, &each("sign"), input.clone()).await;
                let answer = done(&reply);
                assert_eq!(told(&record), of(key_type, named, Some(100), Some(len(&answer, "signature"))));
                for signature in [answer["signature"].clone(), json!("none")] {
                    let body = json!({ "input": bytes(100), "signature": signature });
                    let (_, record) = recorded(&room, &each("verify"), body).await;
                    assert_eq!(told(&record), of(key_type, named, Some(100), None));
                }
            }
            _ => {
                let (reply, record) = recorded(&room, &each("hmac"), input.clone()).await;
                let answer = done(&reply);
                assert_eq!(told(&record), of(key_type, named, Some(100), Some(len(&answer, "hmac"))));
                let body = json!({ "input": bytes(100), "hmac": answer["hmac"] });
                let (_, record) = recorded(&room, &each("verify-hmac"), body).await;
                assert_eq!(told(&record), of(key_type, named, Some(100), None));
            }
        }
        for (method, rest) in [
            ("POST", "/rotate"),
            ("PATCH", "/rotation"),
            ("GET", ""),
            ("GET", "/inventory"),
            ("POST", "/disable"),
            ("POST", "/enable"),
            ("POST", "/retire"),
            ("DELETE", ""),
            ("DELETE", "/cancel-deletion"),
        ] {
            let body = if method == "PATCH" { json!({}) } else { Value::Null };
            let (reply, record) = recorded(&room, &format!("{method} {url}{rest}"), body).await;
            done(&reply);
            assert_eq!(told(&record), of(key_type, named, None, None), "{method} {rest}");
        }
    }
}

#[tokio::test]
async fn refusals_tell_of_the_key_and_what_was_sent() {
    let room = Room::new().await;
    let (symmetric, slug) = (KeyType::Aes256Gcm96, "app-key");
    let url = format!("POST {KEYS}/{}", room.key);
    for (rest, body, bytes_in) in [
        ("/encrypt", json!({ "plaintext": bytes(70_000) }), Some(70_000)),
        ("/encrypt", json!({ "plaintext": bytes(10), "keyVersion": "9" }), Some(10)),
        ("/decrypt", json!({ "ciphertext": format!("thalassa:v1:{}", bytes(50)) }), Some(50)),
        ("/decrypt", json!({ "ciphertext": "none" }), None),
        ("/sign", json!({ "input": bytes(10) }), Some(10)),
        ("/verify", json!({ "input": bytes(10), "signature": "none" }), Some(10)),
        ("/hmac", json!({ "input": bytes(10) }), Some(10)),
        ("/verify-hmac", json!({ "input": bytes(10), "hmac": "none" }), Some(10)),
        ("/export", Value::Null, None),
    ] {
        let (reply, record) = recorded(&room, &format!("{url}{rest}"), body).await;
        assert!(reply.status >= 400, "{rest}");
        assert_eq!((record.outcome, told(&record)), (Outcome::Failure, of(slug, symmetric, bytes_in, None)), "{rest}");
    }
    // The log of the organisation knows which key it was; the caller doesn't hear.
    let before = room.records_after(0).await.len();
    assert_eq!(room.call(NOBODY, &format!("{url}/encrypt"), json!({ "plaintext": "YQ==" })).await.status, 404);
    assert_eq!(room.admin(&format!("POST {KEYS}/none/encrypt"), json!({ "plaintext": "YQ==" })).await.status, 404);
    let records = room.records_after(before).await;
    let details: Vec<_> = records.iter().map(|record| (record.outcome, told(record))).collect();
    let denied = (Outcome::Denied, of(slug, symmetric, None, None));
    assert_eq!(details, [denied, (Outcome::Failure, Details::default())]);
}

#[tokio::test]
async fn what_is_created_tells_its_type_and_slug() {
    let room = Room::new().await;
    let create = format!("POST {KEYS}");
    let (reply, record) = recorded(&room, &create, json!({ "name": "My Signer", "keyType": "ed25519" })).await;
    done(&reply);
    assert_eq!(told(&record), of("my-signer", KeyType::Ed25519, None, None));
    let import = json!({ "name": "brought", "importKeyMaterial": bytes(600) });
    let (reply, record) = recorded(&room, &create, import).await;
    assert_eq!(reply.code(), "bad_key_material");
    let expected = Details { key_slug: None, ..of("", KeyType::Aes256Gcm96, Some(600), None) };
    assert_eq!(told(&record), expected);
}

#[tokio::test]
async fn a_rewrap_tells_how_many_data_keys_it_moved() {
    let room = Room::new().await;
    for path in ["/a", "/b", "/c"] {
        room.secret(path).await;
    }
    let url = format!("{KEYS}/{}", room.key);
    done(&post(&room, &format!("{url}/rotate"), Value::Null).await);
    let (reply, record) = recorded(&room, &format!("POST {url}/rewrap"), Value::Null).await;
    assert_eq!(done(&reply)["rewrapped"], json!(3));
    let expected = Details { count: Some(3), ..of("app-key", KeyType::Aes256Gcm96, None, None) };
    assert_eq!(told(&record), expected);
}

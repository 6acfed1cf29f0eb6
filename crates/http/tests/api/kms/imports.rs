//! Keys whose material was made elsewhere.

use super::{KEYS, done, post, refused, text};
use crate::support::{NOBODY, Room};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom_crypto::OsEntropy;
use strongroom_crypto::key_ops::wrap_import;
use strongroom_domain::port::OaepHash;
use strongroom_domain::value::SecretBytes;

const MATERIAL: [u8; 32] = [42; 32];
const P256: &[u8] = include_bytes!("../../../../testkit/src/kms/elsewhere/ecdsa-p256/private.der");

/// The wrapping key as callers get it, in DER.
async fn wrapping_key(room: &Room) -> Vec<u8> {
    let answer = done(&room.get("/v1/kms/nl-01/wrapping-key").await);
    assert_eq!(answer["algorithm"], json!("RSA_AES_KEY_WRAP"));
    let pem = text(&answer, "publicKey");
    let lines: Vec<_> = pem.lines().collect();
    let [first, code @ .., last] = lines.as_slice() else { panic!("{pem}") };
    assert_eq!((*first, *last), ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"));
    STANDARD.decode(code.concat()).expect("base64")
}

fn wrapped(key: &[u8], hash: OaepHash, material: &[u8]) -> String {
    let wrapped = wrap_import(key, hash, &OsEntropy, &SecretBytes::copy_of(material));
    STANDARD.encode(wrapped.expect("a public key of RSA"))
}

#[tokio::test]
async fn imported_material_is_that_of_the_key() {
    let room = Room::new().await;
    let key = wrapping_key(&room).await;
    assert_eq!(wrapping_key(&room).await, key, "there is one");
    for (name, function, hash) in [
        ("a", Value::Null, OaepHash::Sha256),
        ("b", json!("sha1"), OaepHash::Sha1),
        ("c", json!("sha256"), OaepHash::Sha256),
        ("d", json!("SHA-384"), OaepHash::Sha384),
        ("e", json!("sha2-512"), OaepHash::Sha512),
    ] {
        let body = json!({
            "name": name, "keyType": "aes256-gcm96", "exportAllowed": true, "hashFunction": function,
            "importKeyMaterial": wrapped(&key, hash, &MATERIAL),
        });
        let created = post(&room, KEYS, body).await;
        assert_eq!(created.status, 201, "{name}: {}", created.message());
        let made = created.json();
        assert_eq!((&made["imported"], &made["latestVersion"]), (&json!(true), &json!(1)), "{made}");
        let url = format!("{KEYS}/{}", text(&made, "identity"));
        let exported = done(&post(&room, &format!("{url}/export"), Value::Null).await);
        assert_eq!(text(&exported, "keyMaterial"), STANDARD.encode(MATERIAL));
    }
    let body =
        json!({ "name": "p", "keyType": "ecdsa-p256", "importKeyMaterial": wrapped(&key, OaepHash::Sha256, P256) });
    let made = done(&post(&room, KEYS, body).await);
    let url = format!("{KEYS}/{}", text(&made, "identity"));
    let signed = done(&post(&room, &format!("{url}/sign"), json!({ "input": "aGk=" })).await);
    let verify = json!({ "input": "aGk=", "signature": signed["signature"] });
    assert_eq!(done(&post(&room, &format!("{url}/verify"), verify).await)["valid"], json!(true));
    let generated = done(&room.get(&format!("{KEYS}/{}", room.key)).await);
    assert_eq!(generated.get("imported"), None);
}

#[tokio::test]
async fn rotation_only_where_it_is_allowed() {
    let room = Room::new().await;
    let material = wrapped(&wrapping_key(&room).await, OaepHash::Sha256, &MATERIAL);
    let import = async |name: &str, more: Value| {
        let mut body = json!({ "name": name, "importKeyMaterial": material });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        post(&room, KEYS, body).await
    };
    let fixed = done(&import("fixed", json!({ "allowRotation": false })).await);
    let url = format!("{KEYS}/{}", text(&fixed, "identity"));
    refused(
        &post(&room, &format!("{url}/rotate"), Value::Null).await,
        "unsupported_operation",
        "allowRotation",
        &fixed,
    );
    let settings = json!({ "keyRotationEnabled": true, "rotationPeriodInDays": 9 });
    let reply = room.admin(&format!("PATCH {url}/rotation"), settings.clone()).await;
    refused(&reply, "unsupported_operation", "allowRotation", &settings);
    refused(&import("never", settings.clone()).await, "invalid_request", "allowRotation", &settings);
    let free = done(&import("free", json!({ "allowRotation": true })).await);
    let url = format!("{KEYS}/{}", text(&free, "identity"));
    let rotated = done(&post(&room, &format!("{url}/rotate"), Value::Null).await);
    assert_eq!((&rotated["latestVersion"], &rotated["imported"]), (&json!(2), &json!(true)));
    done(&room.admin(&format!("PATCH {url}/rotation"), settings).await);
    // Without material these say nothing: a key that is made here can always be rotated.
    let body = json!({ "name": "made here", "allowRotation": false, "hashFunction": "none" });
    let made = done(&post(&room, KEYS, body).await);
    let url = format!("{KEYS}/{}", text(&made, "identity"));
    assert_eq!(done(&post(&room, &format!("{url}/rotate"), Value::Null).await)["latestVersion"], json!(2));
}

#[tokio::test]
async fn what_is_no_import() {
    let room = Room::new().await;
    let body = json!({ "name": "early", "importKeyMaterial": STANDARD.encode([1; 600]) });
    refused(&post(&room, KEYS, body.clone()).await, "bad_key_material", "wrapping key", &body);
    let key = wrapping_key(&room).await;
    let good = STANDARD.decode(wrapped(&key, OaepHash::Sha256, &MATERIAL)).expect("base64");
    let flip = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        STANDARD.encode(bytes)
    };
    let mut messages = Vec::new();
    for material in [
        String::new(),
        STANDARD.encode(&good[..512]),
        STANDARD.encode(&good[..good.len() - 1]),
        STANDARD.encode(&good[1..]),
        STANDARD.encode([&good[..], &[0; 8]].concat()),
        flip(0),
        flip(511),
        flip(512),
        flip(good.len() - 1),
        wrapped(&key, OaepHash::Sha1, &MATERIAL),
    ] {
        let body = json!({ "name": "bad", "importKeyMaterial": material });
        let reply = post(&room, KEYS, body).await;
        assert_eq!(reply.verdict(), (400, "bad_key_material".to_owned()), "{}", reply.message());
        messages.push(reply.message());
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "no cause can be told from another");
    for (body, code, named) in [
        (json!({ "importKeyMaterial": "YQ" }), "invalid_request", "`importKeyMaterial` is not base64"),
        (json!({ "importKeyMaterial": 1 }), "invalid_request", "`importKeyMaterial` must be a string"),
        (json!({ "importKeyMaterial": "YQ==", "hashFunction": "md5" }), "invalid_request", "`hashFunction`: `md5`"),
        (json!({ "importKeyMaterial": "YQ==", "allowRotation": "x" }), "invalid_request", "`allowRotation` must be"),
        (
            json!({ "importKeyMaterial": wrapped(&key, OaepHash::Sha256, &[1; 16]) }),
            "bad_key_material",
            "exactly 32 bytes",
        ),
        (
            json!({ "keyType": "ed25519", "importKeyMaterial": wrapped(&key, OaepHash::Sha256, P256) }),
            "bad_key_material",
            "PKCS#8",
        ),
        (
            json!({ "keyType": "hmac", "importKeyMaterial": wrapped(&key, OaepHash::Sha256, &MATERIAL) }),
            "unsupported_operation",
            "hmac",
        ),
    ] {
        let mut body = body;
        body["name"] = json!("bad");
        refused(&post(&room, KEYS, body.clone()).await, code, named, &body);
    }
    assert_eq!(done(&room.get(KEYS).await).as_array().map(Vec::len), Some(1), "none was made");
}

#[tokio::test]
async fn the_wrapping_key_is_for_those_who_may_create_keys() {
    let room = Room::new().await;
    let reply = room.call(NOBODY, "GET /v1/kms/nl-01/wrapping-key", Value::Null).await;
    assert_eq!(reply.verdict(), (403, "forbidden".to_owned()));
    let records = room.records_after(0).await;
    let record = records.last().expect("a record");
    let resource = record.resource.as_ref().map(|it| (it.kind.as_str(), it.identity.as_str()));
    assert_eq!((record.action.as_str(), resource), ("kms.wrapping_key.read", Some(("instance_key", "byok-wrapping"))));
}

//! Signing and verifying.

use super::{KEYS, assert_versioned, broken, bytes, done, post, refused, text};
use crate::support::Room;
use serde_json::{Value, json};

/// SHA-256 of `hi`.
const DIGEST: &str = "j0NDRmSPa5bfid2pAcUXaxCm2Dlh3TwayItZstwyeqQ=";

/// How long a signature is at the most.
const TYPES: [(&str, usize); 4] = [("ed25519", 64), ("ecdsa-p256", 72), ("ecdsa-p384", 104), ("ecdsa-p521", 139)];

#[tokio::test]
async fn every_type_signs_and_verifies() {
    let room = Room::new().await;
    for (key_type, longest) in TYPES {
        let key = room.key_of(key_type).await;
        for hash in [Value::Null, json!("sha256"), json!("sha2-384"), json!("SHA-512")] {
            let what = json!([key_type, hash]);
            let signed =
                done(&post(&room, &format!("{key}/sign"), json!({ "input": "aGk=", "hashAlgorithm": hash })).await);
            let len = assert_versioned(&signed, "signature", "1");
            assert!(len <= longest, "{what}: {len}");
            let verify = async |input: &str, signature: &str| {
                let body = json!({ "input": input, "signature": signature, "hashAlgorithm": hash });
                done(&post(&room, &format!("{key}/verify"), body).await)
            };
            let signature = text(&signed, "signature");
            assert_eq!(verify("aGk=", &signature).await, json!({ "valid": true }), "{what}");
            assert_eq!(verify("aGo=", &signature).await, json!({ "valid": false }), "{what}");
        }
    }
}

#[tokio::test]
async fn what_is_no_signature_is_not_valid_and_no_error() {
    let room = Room::new().await;
    for key_type in ["ed25519", "ecdsa-p256"] {
        let key = room.key_of(key_type).await;
        let signed = done(&post(&room, &format!("{key}/sign"), json!({ "input": "" })).await);
        for signature in broken(&text(&signed, "signature")) {
            let body = json!({ "input": "", "signature": signature });
            let verified = done(&post(&room, &format!("{key}/verify"), body).await);
            assert_eq!(verified, json!({ "valid": false }), "{key_type} {signature:?}");
        }
    }
}

#[tokio::test]
async fn a_digest_is_signed_as_its_message() {
    let room = Room::new().await;
    let key = room.key_of("ecdsa-p256").await;
    let by_digest = json!({ "input": DIGEST, "prehashed": true, "hashAlgorithm": "sha256" });
    let signed = done(&post(&room, &format!("{key}/sign"), by_digest).await);
    let signature = text(&signed, "signature");
    for (input, prehashed, valid) in [
        ("aGk=", json!(false), true),
        ("aGk=", Value::Null, true),
        (DIGEST, json!(true), true),
        (DIGEST, json!(false), false),
    ] {
        let body = json!({ "input": input, "prehashed": prehashed, "signature": signature });
        let verified = done(&post(&room, &format!("{key}/verify"), body).await);
        assert_eq!(verified, json!({ "valid": valid }), "{input} {prehashed}");
    }
    for (hash, len) in [("sha256", 31), ("sha256", 33), ("sha256", 0), ("sha384", 32), ("sha512", 48)] {
        let body = json!({ "input": bytes(len), "prehashed": true, "hashAlgorithm": hash });
        refused(&post(&room, &format!("{key}/sign"), body.clone()).await, "invalid_request", "input", &body);
    }
    let key = room.key_of("ed25519").await;
    let body = json!({ "input": bytes(64), "prehashed": true, "hashAlgorithm": "sha512" });
    let reply = post(&room, &format!("{key}/sign"), body.clone()).await;
    assert_eq!(reply.status, 400, "{}", reply.message());
    assert!(reply.message().contains("prehashed"), "{}", reply.message());
}

#[tokio::test]
async fn sizes_of_messages() {
    let room = Room::new().await;
    let key = room.key_of("ed25519").await;
    for (len, status) in [(0, 200), (1, 200), (65_535, 200), (65_536, 400)] {
        let reply = post(&room, &format!("{key}/sign"), json!({ "input": bytes(len) })).await;
        assert_eq!(reply.status, status, "{len}: {}", reply.message());
        let body = json!({ "input": bytes(len), "signature": "thalassa:v1:AAAA" });
        assert_eq!(post(&room, &format!("{key}/verify"), body).await.status, status, "{len}");
        if status == 400 {
            assert_eq!(reply.code(), "invalid_request");
            assert!(reply.message().contains("`input`") && reply.message().contains("65535"), "{}", reply.message());
        }
    }
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let room = Room::new().await;
    let key = room.key_of("ecdsa-p384").await;
    for (body, named) in [
        (json!({}), "`input` is missing"),
        (json!({ "input": null }), "`input` must be a string"),
        (json!({ "input": "aGk" }), "`input` is not base64; encode it first"),
        (json!({ "input": "plain!" }), "`input` is not base64"),
        (json!({ "input": "aGk=", "hashAlgorithm": "md5" }), "`hashAlgorithm`: `md5`"),
        (json!({ "input": "aGk=", "hashAlgorithm": "" }), "`hashAlgorithm`"),
        (json!({ "input": "aGk=", "prehashed": "yes" }), "`prehashed` must be true or false"),
        (json!({ "input": "aGk=", "context": "YQ==" }), "`context` is not supported"),
    ] {
        refused(&post(&room, &format!("{key}/sign"), body.clone()).await, "invalid_request", named, &body);
        let mut verify = body;
        verify["signature"] = json!("");
        refused(&post(&room, &format!("{key}/verify"), verify.clone()).await, "invalid_request", named, &verify);
    }
    let no_signature = json!({ "input": "aGk=" });
    let reply = post(&room, &format!("{key}/verify"), no_signature.clone()).await;
    refused(&reply, "invalid_request", "`signature` is missing", &no_signature);
    for (version, code) in [
        (json!(1), "invalid_request"),
        (json!("0"), "invalid_request"),
        (json!(""), "invalid_request"),
        (json!("2"), "kms_key_version_not_found"),
    ] {
        let body = json!({ "input": "aGk=", "keyVersion": version });
        refused(&post(&room, &format!("{key}/sign"), body.clone()).await, code, "`keyVersion`", &body);
    }
    // What isn't known is ignored, and an empty context is none.
    let body = json!({ "input": "aGk=", "context": "", "hashAlgorithm": null, "more": { "x": 1 } });
    assert_eq!(post(&room, &format!("{key}/sign"), body).await.status, 200);
}

#[tokio::test]
async fn each_version_verifies_what_it_signed() {
    let room = Room::new().await;
    let key = room.key_of("ecdsa-p521").await;
    let sign = async |version: Value| {
        done(&post(&room, &format!("{key}/sign"), json!({ "input": "aGk=", "keyVersion": version })).await)
    };
    let first = text(&sign(Value::Null).await, "signature");
    assert_eq!(post(&room, &format!("{key}/rotate"), Value::Null).await.status, 200);
    let second = sign(Value::Null).await;
    assert_versioned(&second, "signature", "2");
    let again = sign(json!("1")).await;
    assert_versioned(&again, "signature", "1");
    let moved = first.replace(":v1:", ":v2:");
    let (second, again) = (text(&second, "signature"), text(&again, "signature"));
    for (signature, valid) in [(&first, true), (&second, true), (&again, true), (&moved, false)] {
        let verified =
            done(&post(&room, &format!("{key}/verify"), json!({ "input": "aGk=", "signature": signature })).await);
        assert_eq!(verified, json!({ "valid": valid }), "{signature}");
    }
    let other = done(&post(&room, KEYS, json!({ "name": "other", "keyType": "ecdsa-p521" })).await);
    let url = format!("{KEYS}/{}/verify", text(&other, "slug"));
    let verified = done(&post(&room, &url, json!({ "input": "aGk=", "signature": first })).await);
    assert_eq!(verified, json!({ "valid": false }), "another key's");
}

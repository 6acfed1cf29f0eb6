//! HMACs.

use super::{assert_versioned, broken, bytes, done, post, refused, text};
use crate::support::Room;
use serde_json::{Value, json};

#[tokio::test]
async fn every_type_makes_and_verifies_hmacs() {
    let room = Room::new().await;
    for (key_type, names, len) in [
        ("hmac", ["sha256", "SHA-256"], 32),
        ("hmac-sha256", ["sha2-256", "sha256"], 32),
        ("hmac-sha512", ["sha512", "sha2-512"], 64),
    ] {
        let key = room.key_of(key_type).await;
        let made = done(&post(&room, &format!("{key}/hmac"), json!({ "input": "aGk=" })).await);
        assert_eq!(assert_versioned(&made, "hmac", "1"), len, "{key_type}");
        for name in names {
            let same = done(&post(&room, &format!("{key}/hmac"), json!({ "input": "aGk=", "algorithm": name })).await);
            assert_eq!(same, made, "{key_type} {name}");
        }
        assert_eq!(post(&room, &format!("{key}/rotate"), Value::Null).await.status, 200);
        let newer = done(&post(&room, &format!("{key}/hmac"), json!({ "input": "aGk=" })).await);
        assert_versioned(&newer, "hmac", "2");
        let older = done(&post(&room, &format!("{key}/hmac"), json!({ "input": "aGk=", "keyVersion": "1" })).await);
        assert_eq!(older, made);
        for (hmac, version) in [(text(&made, "hmac"), "1"), (text(&newer, "hmac"), "2")] {
            for algorithm in [Value::Null, json!(names[0])] {
                let body = json!({ "input": "aGk=", "hmac": hmac, "hashAlgorithm": algorithm });
                let verified = done(&post(&room, &format!("{key}/verify-hmac"), body).await);
                assert_eq!(verified, json!({ "valid": true, "keyVersion": version }), "{key_type}");
            }
            let body = json!({ "input": "aGo=", "hmac": hmac });
            assert_eq!(done(&post(&room, &format!("{key}/verify-hmac"), body).await)["valid"], json!(false));
        }
    }
}

#[tokio::test]
async fn what_is_no_hmac_is_not_valid_and_no_error() {
    let room = Room::new().await;
    let key = room.key_of("hmac-sha512").await;
    let made = done(&post(&room, &format!("{key}/hmac"), json!({ "input": "" })).await);
    for hmac in broken(&text(&made, "hmac")) {
        let verified = done(&post(&room, &format!("{key}/verify-hmac"), json!({ "input": "", "hmac": hmac })).await);
        assert_eq!(verified["valid"], json!(false), "{hmac:?}");
    }
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let room = Room::new().await;
    let key = room.key_of("hmac-sha256").await;
    for (body, code, named) in [
        (json!({}), "invalid_request", "`input` is missing"),
        (json!({ "input": "aGk" }), "invalid_request", "`input` is not base64; encode it first"),
        (json!({ "input": bytes(65_536) }), "invalid_request", "65535"),
        (json!({ "input": "aGk=", "algorithm": "md5" }), "invalid_request", "`algorithm`: `md5`"),
        (json!({ "input": "aGk=", "algorithm": "sha512" }), "invalid_request", "sha256"),
        (json!({ "input": "aGk=", "hashAlgorithm": "sha512" }), "invalid_request", "sha256"),
        (json!({ "input": "aGk=", "algorithm": "sha256", "hashAlgorithm": "sha256" }), "invalid_request", "duplicate"),
        (json!({ "input": "aGk=", "context": "YQ==" }), "invalid_request", "`context` is not supported"),
        (json!({ "input": "aGk=", "keyVersion": 1 }), "invalid_request", "`keyVersion` must be a string"),
        (json!({ "input": "aGk=", "keyVersion": "01" }), "invalid_request", "`keyVersion`"),
        (json!({ "input": "aGk=", "keyVersion": "2" }), "kms_key_version_not_found", "`keyVersion`"),
    ] {
        refused(&post(&room, &format!("{key}/hmac"), body.clone()).await, code, named, &body);
    }
    for (body, named) in [
        (json!({ "input": "aGk=" }), "`hmac` is missing"),
        (json!({ "hmac": "x" }), "`input` is missing"),
        (json!({ "input": "!", "hmac": "" }), "`input` is not base64"),
        (json!({ "input": bytes(65_536), "hmac": "" }), "65535"),
        (json!({ "input": "", "hmac": "", "hashAlgorithm": "sha512" }), "sha256"),
        (json!({ "input": "", "hmac": "", "algorithm": "sha384" }), "sha256"),
        (json!({ "input": "", "hmac": "", "hashAlgorithm": "none" }), "`hashAlgorithm`: `none`"),
        (json!({ "input": "", "hmac": "", "context": "x" }), "`context` is not supported"),
    ] {
        refused(&post(&room, &format!("{key}/verify-hmac"), body.clone()).await, "invalid_request", named, &body);
    }
    for len in [0, 1, 65_535] {
        assert_eq!(post(&room, &format!("{key}/hmac"), json!({ "input": bytes(len) })).await.status, 200, "{len}");
    }
}

//! RSA keys, of which one is made: that takes a while.

use super::{assert_versioned, bytes, done, post, refused, text};
use crate::support::Room;
use serde_json::{Value, json};

#[tokio::test]
async fn an_rsa_key_encrypts_little_and_signs() {
    let room = Room::new().await;
    let key = room.key_of("rsa-2048").await;
    // OAEP with SHA-256 leaves 256 - 2 * 32 - 2 bytes.
    for len in [1, 190] {
        let encrypted = done(&post(&room, &format!("{key}/encrypt"), json!({ "plaintext": bytes(len) })).await);
        assert_eq!(assert_versioned(&encrypted, "ciphertext", "1"), 256, "{len}");
        let body = json!({ "ciphertext": encrypted["ciphertext"] });
        let decrypted = post(&room, &format!("{key}/decrypt"), body).await;
        assert_eq!(done(&decrypted), json!({ "plaintext": bytes(len), "keyVersion": "1" }));
        assert_eq!(decrypted.header("cache-control"), "no-store");
    }
    for len in [191, 65_535] {
        let body = json!({ "plaintext": bytes(len) });
        let reply = post(&room, &format!("{key}/encrypt"), body).await;
        refused(&reply, "invalid_request", "longer", &json!(len));
    }
    for hash in ["sha256", "sha384", "sha512"] {
        let signed =
            done(&post(&room, &format!("{key}/sign"), json!({ "input": "aGk=", "hashAlgorithm": hash })).await);
        assert_eq!(assert_versioned(&signed, "signature", "1"), 256, "{hash}");
        for (other, valid) in [(hash, true), (if hash == "sha256" { "sha512" } else { "sha256" }, false)] {
            let body = json!({ "input": "aGk=", "signature": text(&signed, "signature"), "hashAlgorithm": other });
            assert_eq!(
                done(&post(&room, &format!("{key}/verify"), body).await),
                json!({ "valid": valid }),
                "{hash} {other}"
            );
        }
    }
    let secret = json!({ "path": "/a", "kmsKeyIdentity": key.rsplit('/').next(), "secretString": "YQ==" });
    let reply = room.admin("POST /v1/secrets/nl-01/secrets", secret).await;
    assert_eq!(reply.verdict(), (400, "kms_key_unusable".to_owned()), "{}", reply.message());
    let public = done(&room.get(&format!("{key}/public-key")).await);
    let pem = public["keys"]["1"].as_str().unwrap_or_default();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"), "{pem}");
    assert_eq!(post(&room, &format!("{key}/hmac"), json!({ "input": "" })).await.code(), "unsupported_operation");
    let material = done(&post(&room, &format!("{key}/export"), Value::Null).await);
    assert!(text(&material, "keyMaterial").len() > 1_500, "PKCS#8");
}

//! K8: bytes decrypted.

use crate::decode::{bad_request, object};
use crate::shapes::DECRYPTED;
use crate::{Replay, text};
use serde_json::json;

const SDK: &str = r#"POST /v1/kms/nl-01/keys/{key}/decrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"ciphertext":"{ciphertext}"}"#;

const CLI_SLUG: &str = r#"POST /v1/kms/nl-01/keys/dev-key/decrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Bearer {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"ciphertext":"{ciphertext}"}"#;

#[test]
fn decrypted() {
    let mut replay = Replay::new();
    let key = replay.client.key("dev-key");
    let encrypted = replay.client.post(format!("{key}/encrypt"), &json!({"plaintext": "aGVsbG8="})).ok(200);
    replay.set("ciphertext", text(&encrypted, "ciphertext"));
    let _ = replay.client.post_empty(format!("{key}/rotate")).ok(200);
    for request in [SDK, CLI_SLUG] {
        let decrypted = object(&replay.send(request), 200, &DECRYPTED);
        assert_eq!(decrypted, json!({"plaintext": "aGVsbG8=", "keyVersion": "1"}));
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    for ciphertext in ["thalassa:v1:encrypted", "thalassa:v9:AAAA", "encrypted", ""] {
        replay.set("ciphertext", ciphertext);
        let _ = bad_request(&replay.send(SDK));
    }
}

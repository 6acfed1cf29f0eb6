//! K7: bytes encrypted. The version of a key is a string, in both directions.

use crate::decode::{bad_request, not_found, object};
use crate::shapes::ENCRYPTED;
use crate::{Replay, text};

const SDK: &str = r#"POST /v1/kms/nl-01/keys/{key}/encrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"plaintext":"aGVsbG8="}"#;

const SDK_VERSION: &str = r#"POST /v1/kms/nl-01/keys/{key}/encrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"plaintext":"aGVsbG8=","keyVersion":"1"}"#;

const CLI_SLUG: &str = r#"POST /v1/kms/nl-01/keys/dev-key/encrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Bearer {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"plaintext":"aGVsbG8="}"#;

const SDK_NOT_ENCODED: &str = r#"POST /v1/kms/nl-01/keys/{key}/encrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"plaintext":"not-valid-base64!!!"}"#;

const SDK_EMPTY: &str = r#"POST /v1/kms/nl-01/keys/{key}/encrypt HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"plaintext":""}"#;

#[test]
fn encrypted() {
    let mut replay = Replay::new();
    let _ = replay.client.post_empty(format!("{}/rotate", replay.client.key("dev-key"))).ok(200);
    for (request, version) in [(SDK, "2"), (SDK_VERSION, "1"), (CLI_SLUG, "2")] {
        let encrypted = object(&replay.send(request), 200, &ENCRYPTED);
        assert_eq!(encrypted["keyVersion"], version);
        assert!(text(&encrypted, "ciphertext").starts_with(&format!("thalassa:v{version}:")), "{encrypted}");
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    for request in [SDK_NOT_ENCODED, SDK_EMPTY] {
        let message = bad_request(&replay.send(request));
        assert!(message.contains("plaintext"), "{message}");
    }
    let _ = replay.client.post_empty(format!("{}/disable", replay.client.key("dev-key"))).ok(200);
    let _ = bad_request(&replay.send(SDK));
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(SDK));
}

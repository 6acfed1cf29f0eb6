//! S7: a value. It may be asked for without a body, and then also without a media type and a length.

use crate::Replay;
use crate::decode::{bad_request, not_found, object, shown};
use crate::shapes::SECRET_VALUE;
use serde_json::json;
use strongroom_tests::base64;

const SDK: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password"}"#;

const SDK_VERSION: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","version":1}"#;

const SDK_PLUS: &str = r#"POST /v1/secrets/nl-01/secret/app/a+b/value HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/a+b"}"#;

const CLI: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Bearer {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password"}"#;

const TERRAFORM: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","version":2}"#;

/// Neither a body nor a length.
const SAMPLE_NO_BODY: &str = "POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

const SAMPLE_VERSION: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"version":2}"#;

const SAMPLE_NULLS: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"path":null,"version":null}"#;

/// As resty sends a POST to which no body was given.
const EMPTY_BODY: &str = "POST /v1/secrets/nl-01/secret/app/prod/db/password/value HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: 0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn a_single_value() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    replay.create(path);
    let _ = replay.client.put_value(path, "second").ok(201);
    for (request, version, value) in [
        (SDK, 2, "second"),
        (SDK_VERSION, 1, "super-secret"),
        (CLI, 2, "second"),
        (TERRAFORM, 2, "second"),
        (SAMPLE_NO_BODY, 2, "second"),
        (SAMPLE_VERSION, 2, "second"),
        (SAMPLE_NULLS, 2, "second"),
        (EMPTY_BODY, 2, "second"),
    ] {
        let expected = json!({
            "path": path, "version": version, "secretString": base64(value),
            "kmsKeyIdentity": replay.client.kms_key, "kmsKeyVersion": "1",
        });
        assert_eq!(object(&replay.send(request), 200, &SECRET_VALUE), expected, "{request}");
    }
}

#[test]
fn named_values() {
    let mut replay = Replay::new();
    let values = json!({"username": base64("admin"), "password": ""});
    let body = json!({"path": "/app/a+b", "kmsKeyIdentity": replay.client.kms_key, "secretKeyValues": values});
    let _ = replay.client.post(replay.client.secrets(), &body).ok(201);
    let revealed = object(&replay.send(SDK_PLUS), 200, &SECRET_VALUE);
    assert_eq!((&revealed["path"], &revealed["secretKeyValues"]), (&json!("/app/a+b"), &values));
    assert!(revealed.get("secretString").is_none(), "{revealed}");
}

/// Terraform takes 404 for a version that is gone, and stops at anything else.
#[test]
fn what_is_not_there_is_gone() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    let _ = not_found(&replay.send(TERRAFORM));
    replay.create(path);
    let _ = not_found(&replay.send(TERRAFORM));
    let _ = replay.client.put_value(path, "second").ok(201);
    replay.client.destroy(path, 2).empty();
    let _ = not_found(&replay.send(TERRAFORM));
    replay.client.destroy(path, 1).empty();
    for request in [SDK, SAMPLE_NO_BODY] {
        let _ = not_found(&replay.send(request));
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    replay.create(path);
    let key = replay.client.key(&replay.client.kms_key);
    let _ = replay.client.post_empty(format!("{key}/disable")).ok(200);
    let _ = bad_request(&replay.send(SDK));
    let _ = replay.client.post_empty(format!("{key}/enable")).ok(200);
    let denied = json!({"accessPolicy": {"statements": [{"effect": "Deny"}]}});
    let _ = replay.client.put(format!("{}/policy", replay.client.secret(path)), &denied).ok(200);
    for request in [SDK, CLI, SAMPLE_NO_BODY] {
        let text = shown(&replay.send(request), 403);
        assert!(!text.contains("c3VwZXItc2VjcmV0"), "{text}");
    }
}

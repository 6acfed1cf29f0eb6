//! S6: a new version. The Go SDK repeats the path in the body; the samples leave it out.

use crate::Replay;
use crate::decode::{bad_request, not_found, object, shown};
use crate::shapes::{PUT_DONE, SECRET_VALUE};
use serde_json::json;

const SDK: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","secretString":"c2Vjb25k"}"#;

const SDK_PLUS: &str = r#"POST /v1/secrets/nl-01/secret/app/a+b/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/a+b","secretString":"c2Vjb25k"}"#;

const SDK_VALUES: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","secretKeyValues":{"password":"czNjcjN0IQ==","username":"YWRtaW4="}}"#;

/// No client says this on purpose; it must not be guessed at.
const SDK_OTHER_PATH: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/other","secretString":"c2Vjb25k"}"#;

const CLI_PLAIN: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","secretKeyValues":{"password":"s3cr3t!"}}"#;

const CLI_GENERATED: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Bearer {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","generateSecret":{"byteLength":32}}"#;

const TERRAFORM_GENERATED: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","generateSecret":{"byteLength":0}}"#;

const SAMPLE: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"secretString":"c2Vjb25k"}"#;

const SAMPLE_NULLS: &str = r#"POST /v1/secrets/nl-01/secret/app/prod/db/password/versions HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"path":null,"secretString":"c2Vjb25k","secretKeyValues":null,"generateSecret":null}"#;

#[test]
fn every_input() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    replay.create(path);
    for (before, request) in (1..).zip([SDK, SDK_VALUES, CLI_GENERATED, TERRAFORM_GENERATED, SAMPLE, SAMPLE_NULLS]) {
        let done = object(&replay.send(request), 201, &PUT_DONE);
        assert_eq!(done, json!({"path": path, "version": before + 1}), "{request}");
    }
    for (version, value) in [(2, "c2Vjb25k"), (6, "c2Vjb25k"), (7, "c2Vjb25k")] {
        let revealed = object(&replay.client.reveal(path, Some(version)), 200, &SECRET_VALUE);
        assert_eq!(revealed["secretString"], value, "version {version}");
    }
    let revealed = object(&replay.client.reveal(path, Some(3)), 200, &SECRET_VALUE);
    assert_eq!(revealed["secretKeyValues"], json!({"password": "czNjcjN0IQ==", "username": "YWRtaW4="}));
}

#[test]
fn a_plus_in_the_path() {
    let mut replay = Replay::new();
    let _ = not_found(&replay.send(SDK_PLUS));
    replay.create("/app/a+b");
    assert_eq!(object(&replay.send(SDK_PLUS), 201, &PUT_DONE), json!({"path": "/app/a+b", "version": 2}));
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    let _ = not_found(&replay.send(SDK));
    replay.create(path);
    replay.create("/app/other");
    let message = bad_request(&replay.send(CLI_PLAIN));
    assert!(message.contains("secretKeyValues.password") && message.contains("base64encode"), "{message}");
    let _ = bad_request(&replay.send(SDK_OTHER_PATH));
    let denied = json!({"accessPolicy": {"conditions": [{"type": "ip", "effect": "deny", "cidrs": ["0.0.0.0/0"]}]}});
    let _ = replay.client.put(format!("{}/policy", replay.client.secret(path)), &denied).ok(200);
    let _ = shown(&replay.send(SDK), 403);
    assert_eq!(replay.client.describe(path).ok(200)["currentVersion"], 1, "nothing was stored");
}

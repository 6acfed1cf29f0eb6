//! S3: a new secret. The Go SDK checks a tidied path and sends the one that it was given.

use crate::decode::{bad_request, object, shown};
use crate::shapes::{SECRET, SECRET_VALUE};
use crate::{Replay, text};
use serde_json::json;
use strongroom_tests::{base64, unbase64};

const SDK: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/prod/db/password","kmsKeyIdentity":"{key}","secretString":"c3VwZXItc2VjcmV0"}"#;

const SDK_POLICY: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/a+b","kmsKeyIdentity":"{key}","secretString":"c3VwZXItc2VjcmV0","accessPolicy":{"statements":[{"effect":"allow","actions":["secrets:get-value"]}]}}"#;

const SDK_PATH_AS_GIVEN: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"{path}","kmsKeyIdentity":"{key}","secretString":"c3VwZXItc2VjcmV0"}"#;

const CLI_GENERATED: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/cli/generated","kmsKeyIdentity":"{key}","generateSecret":{"byteLength":48}}"#;

const TERRAFORM: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/tf/all","description":"reads \u003call\u003e \u0026 more","labels":{"env":"prod","team":"platform"},"annotations":{"note":"käse"},"kmsKeyIdentity":"{key}","secretString":"c3VwZXItc2VjcmV0"}"#;

/// What an empty block becomes.
const TERRAFORM_GENERATED: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/tf/generated","kmsKeyIdentity":"{key}","generateSecret":{"byteLength":0}}"#;

/// Named values go out as they are written, not encoded.
const TERRAFORM_PLAIN: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/tf/plain","kmsKeyIdentity":"{key}","secretKeyValues":{"password":"s3cr3t!","username":"admin-user"}}"#;

const SAMPLE_NULLS: &str = r#"POST /v1/secrets/nl-01/secrets HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"path":"/sample","description":null,"kmsKeyIdentity":"{key}","secretString":null,"secretKeyValues":{"username":"YWRtaW4="},"generateSecret":null,"accessPolicy":null}"#;

#[test]
fn a_given_value() {
    let mut replay = Replay::new();
    let created = object(&replay.send(SDK), 201, &SECRET);
    assert_eq!((&created["path"], &created["currentVersion"]), (&json!("/app/prod/db/password"), &json!(1)));
    assert_eq!(created["kmsKey"]["identity"], replay.client.kms_key.as_str(), "Terraform reads its `kms_key_id` here");
    assert!(created.get("secretString").is_none(), "{created}");
    let revealed = replay.client.reveal("/app/prod/db/password", None).ok(200);
    assert_eq!(unbase64(&text(&revealed, "secretString")), b"super-secret");

    let _ = shown(&replay.send(SDK), 409);
    assert_eq!(replay.client.describe("/app/prod/db/password").ok(200)["currentVersion"], 1, "it is left as it was");
}

#[test]
fn everything_that_terraform_can_set() {
    let mut replay = Replay::new();
    let created = object(&replay.send(TERRAFORM), 201, &SECRET);
    assert_eq!(created["description"], "reads <all> & more");
    assert_eq!(created["labels"], json!({"env": "prod", "team": "platform"}));
    assert_eq!(created["annotations"], json!({"note": "käse"}));
    assert_eq!(replay.client.describe("/tf/all").ok(200), created, "a plan after the creation finds no difference");
}

#[test]
fn a_generated_value() {
    let mut replay = Replay::new();
    for (request, path, length) in [(CLI_GENERATED, "/cli/generated", 48), (TERRAFORM_GENERATED, "/tf/generated", 32)] {
        let _ = object(&replay.send(request), 201, &SECRET);
        let revealed = object(&replay.client.reveal(path, None), 200, &SECRET_VALUE);
        assert_eq!(unbase64(&text(&revealed, "secretString")).len(), length, "{path}");
    }
}

#[test]
fn a_policy_from_the_start() {
    let mut replay = Replay::new();
    let created = object(&replay.send(SDK_POLICY), 201, &SECRET);
    let expected = json!({"statements": [{"effect": "allow", "actions": ["secrets:get-value"]}]});
    assert_eq!(created["accessPolicy"], expected);
}

#[test]
fn paths_that_are_not_tidied() {
    let mut replay = Replay::new();
    for path in ["app/db", " /app/db", "/app/db ", "/app/db/", "/app//db", "/app/../db", "/", ""] {
        replay.set("path", path);
        let message = bad_request(&replay.send(SDK_PATH_AS_GIVEN));
        assert!(message.contains("path"), "{path:?}: {message}");
    }
    assert_eq!(replay.client.get(format!("{}?pathPrefix=/", replay.client.secrets())).ok(200), json!([]));
}

#[test]
fn values_that_are_not_encoded() {
    let mut replay = Replay::new();
    let message = bad_request(&replay.send(TERRAFORM_PLAIN));
    assert!(message.contains("secretKeyValues.password") && message.contains("base64encode"), "{message}");

    let mut replay = Replay::with_settings("[compatibility]\nplain_values = true");
    let _ = object(&replay.send(TERRAFORM_PLAIN), 201, &SECRET);
    let revealed = object(&replay.client.reveal("/tf/plain", None), 200, &SECRET_VALUE);
    let expected = json!({"password": base64("s3cr3t!"), "username": base64("admin-user")});
    assert_eq!(revealed["secretKeyValues"], expected);
}

#[test]
fn null_is_not_given() {
    let mut replay = Replay::new();
    let created = object(&replay.send(SAMPLE_NULLS), 201, &SECRET);
    assert!(created.get("accessPolicy").is_none() && created.get("description").is_none(), "{created}");
    let revealed = object(&replay.client.reveal("/sample", None), 200, &SECRET_VALUE);
    assert_eq!(revealed["secretKeyValues"], json!({"username": "YWRtaW4="}));
}

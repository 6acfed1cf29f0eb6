//! K3: a new key. What is false or empty is left out.

use crate::decode::{bad_request, object, shown};
use crate::shapes::KEY;
use crate::{Replay, text};
use serde_json::json;

const SDK: &str = r#"POST /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"app-secrets","keyType":"aes256-gcm96"}"#;

const SDK_NAME_ONLY: &str = r#"POST /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"name-only"}"#;

const CLI: &str = r#"POST /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"From the CLI","description":"keys \u0026 more","keyType":"chacha20-poly1305"}"#;

const TERRAFORM: &str = r#"POST /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"terraform","description":"all","labels":{"env":"prod"},"annotations":{"note":"n"},"keyType":"aes128-gcm96","exportAllowed":true,"keyRotationEnabled":true,"rotationPeriodInDays":90}"#;

const TERRAFORM_NO_PERIOD: &str = r#"POST /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"no-period","keyType":"aes256-gcm96","keyRotationEnabled":true}"#;

const SAMPLE_NULLS: &str = r#"POST /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"name":"sample","keyType":null,"description":null,"labels":null,"annotations":null,"exportAllowed":null,"keyRotationEnabled":null,"rotationPeriodInDays":null,"importKeyMaterial":null}"#;

#[test]
fn made() {
    let mut replay = Replay::new();
    for (request, name, key_type) in [
        (SDK, "app-secrets", "aes256-gcm96"),
        (SDK_NAME_ONLY, "name-only", "aes256-gcm96"),
        (CLI, "From the CLI", "chacha20-poly1305"),
        (SAMPLE_NULLS, "sample", "aes256-gcm96"),
    ] {
        let key = object(&replay.send(request), 201, &KEY);
        assert_eq!((&key["name"], &key["keyType"], &key["status"]), (&json!(name), &json!(key_type), &json!("active")));
        assert_eq!((&key["latestVersion"], &key["exportAllowed"]), (&json!(1), &json!(false)));
        assert!(key.get("rotationPeriodInDays").is_none(), "Terraform would see a difference: {key}");
        assert!(key.get("imported").is_none_or(|imported| imported == false), "{key}");
    }
    let text = shown(&replay.send(SDK), 409);
    assert!(text.contains("app-secrets"), "{text}");
}

#[test]
fn everything_that_terraform_can_set() {
    let mut replay = Replay::new();
    let key = object(&replay.send(TERRAFORM), 201, &KEY);
    assert_eq!((&key["exportAllowed"], &key["keyRotationEnabled"]), (&json!(true), &json!(true)));
    assert_eq!((&key["rotationPeriodInDays"], &key["description"]), (&json!(90), &json!("all")));
    assert_eq!((&key["labels"], &key["annotations"]), (&json!({"env": "prod"}), &json!({"note": "n"})));
    let again = replay.client.get(replay.client.key(&text(&key, "identity"))).ok(200);
    assert_eq!(again, key, "a plan after the creation finds no difference");
    let message = bad_request(&replay.send(TERRAFORM_NO_PERIOD));
    assert!(message.contains("rotationPeriodInDays"), "{message}");
}

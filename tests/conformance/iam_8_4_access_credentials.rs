//! Section 8.4: access keys of a service account. The secret is in the first answer only.

use crate::decode::{bad_request, list, not_found, nothing, object};
use crate::iam_shapes::{CREATED_CREDENTIAL, CREDENTIAL};
use crate::{Replay, text};
use serde_json::{Value, json};

const SDK_CREATE: &str = r#"POST /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"ci","description":"of the pipeline","expiresAt":"2047-01-15T08:00:00+02:00","scopes":["api:read","kubernetes"]}"#;

const CLI_CREATE: &str = r#"POST /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"from the CLI","expiresAt":"2047-01-15T06:00:00.5Z","scopes":["api:read","api:write","objectStorage"]}"#;

/// Terraform sends no scopes when it has none, and an empty name.
const TERRAFORM_CREATE: &str = r#"POST /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"","description":""}"#;

const SDK_PAST: &str = r#"POST /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"past","expiresAt":"2020-01-15T08:00:00Z"}"#;

const SDK_SCOPE: &str = r#"POST /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"scope","scopes":["api:admin"]}"#;

const CLI_LIST: &str = "GET /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_READ: &str = "GET /v1/service-accounts/{account}/access-credentials HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_DELETE: &str = "DELETE /v1/service-accounts/{account}/access-credentials/{credential} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

fn account() -> Replay {
    let mut replay = Replay::new();
    replay.set("account", replay.named("/v1/service-accounts", "Deploy"));
    replay
}

/// The letters that need no escaping anywhere.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[test]
fn the_secret_is_shown_once() {
    let mut replay = account();
    let mut made = Vec::new();
    for (request, scopes) in [
        (SDK_CREATE, Some(json!(["api:read", "kubernetes"]))),
        (CLI_CREATE, Some(json!(["api:read", "api:write", "objectStorage"]))),
        (TERRAFORM_CREATE, None),
    ] {
        let created = object(&replay.send(request), 201, &CREATED_CREDENTIAL);
        assert_eq!(created.get("scopes"), scopes.as_ref(), "{request}");
        for part in ["accessKey", "accessSecret"] {
            assert!(is_plain(&text(&created, part)), "`{part}` needs escaping");
        }
        let members: Vec<_> = created.as_object().expect("an object").keys().cloned().collect();
        assert!(
            members.iter().all(|name| ["identity", "accessKey", "accessSecret", "scopes"].contains(&name.as_str()))
        );
        made.push(created);
    }
    let listed = list(&replay.send(TERRAFORM_READ), &CREDENTIAL);
    assert_eq!(list(&replay.send(CLI_LIST), &CREDENTIAL), listed);
    assert_eq!(listed.len(), 3);
    for created in &made {
        let found = listed.iter().find(|credential| credential["identity"] == created["identity"]);
        let found = found.expect("Terraform looks for its credential in the list");
        assert_eq!(found["accessKey"], created["accessKey"]);
        assert!(!json!(listed).to_string().contains(&text(created, "accessSecret")), "shown again");
    }
    let of = |name: &str| -> &Value { listed.iter().find(|it| it["name"] == name).expect(name) };
    let as_sent = |name: &str| of(name).get("expiresAt").cloned();
    assert_eq!(as_sent("ci"), Some(json!("2047-01-15T08:00:00+02:00")), "else Terraform plans another credential");
    assert_eq!(of("ci")["description"], json!("of the pipeline"));
    assert_eq!(as_sent("from the CLI"), Some(json!("2047-01-15T06:00:00.5Z")));
    assert_eq!(as_sent(""), None);
    assert!(of("").get("description").is_none() && of("").get("lastUsedAt").is_none());
}

#[test]
fn what_cannot_be_made() {
    let mut replay = account();
    assert!(bad_request(&replay.send(SDK_PAST)).contains("expiresAt"));
    assert!(bad_request(&replay.send(SDK_SCOPE)).contains("api:admin"));
    replay.set("account", "sa-nothing");
    for request in [SDK_CREATE, CLI_LIST] {
        let _ = not_found(&replay.send(request));
    }
}

#[test]
fn deleted_once_at_its_own_account() {
    let mut replay = account();
    let made = object(&replay.send(SDK_CREATE), 201, &CREATED_CREDENTIAL);
    replay.set("credential", text(&made, "identity"));
    let own = replay.word("account");
    replay.set("account", replay.named("/v1/service-accounts", "Other"));
    let _ = not_found(&replay.send(TERRAFORM_DELETE));
    replay.set("account", own);
    nothing(&replay.send(TERRAFORM_DELETE));
    let _ = not_found(&replay.send(TERRAFORM_DELETE));
    assert!(list(&replay.send(TERRAFORM_READ), &CREDENTIAL).is_empty());
}

#[test]
fn nobody_makes_one_that_may_more_than_they() {
    let mut replay = account();
    let strong = replay.role("Strong", &["*"], &["*"]);
    let _ = replay.bind(&strong, "serviceAccountIdentity", &replay.word("account"));
    let member = replay.user("Ada");
    let held = replay.role("Keeper", &["service_account"], &["read", "update"]);
    let _ = replay.bind(&held, "userIdentity", &member);
    replay.set("token", replay.token_of(&member));
    let _ = bad_request(&replay.send(TERRAFORM_CREATE));
}

//! Section 8.1: rules of a role. Clients send the struct that they read, with an `identity` that is empty.

use crate::decode::{bad_request, not_found, nothing, object, shown};
use crate::iam_shapes::{ROLE, RULE};
use crate::{Replay, text};
use serde_json::json;

const SDK_ADD: &str = r#"POST /v1/iam/roles/{role}/rules HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"identity":"","resources":["secret"],"resourceIdentities":["/app/prod/*","/app/**/db"],"permissions":["read","list"]}"#;

/// Lists of flags that were not given are null. Permissions are any text.
const CLI_ADD: &str = r#"POST /v1/iam/roles/{role}/rules HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"identity":"","resources":["secret"],"resourceIdentities":null,"permissions":["getSecretValue","ask-nicely"],"note":"\u003creveal\u003e"}"#;

const CLI_NULLS: &str = r#"POST /v1/iam/roles/{role}/rules HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"identity":"","resources":null,"resourceIdentities":null,"permissions":["read"]}"#;

const TERRAFORM_ADD: &str = r#"POST /v1/iam/roles/{role}/rules HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"identity":"","resources":["*"],"resourceIdentities":[],"permissions":["*"],"note":"all"}"#;

const TERRAFORM_READ: &str = "GET /v1/iam/roles/{role} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_DELETE: &str = "DELETE /v1/iam/roles/{role}/rules/{rule} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_MALFORMED: &str = r#"POST /v1/iam/roles/{role}/rules HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"identity":"","resources":"secret","resourceIdentities":null,"permissions":["read"]}"#;

#[test]
fn stored_exactly_as_sent() {
    let mut replay = Replay::new();
    replay.set("role", replay.named("/v1/iam/roles", "rules"));
    let mut rules = Vec::new();
    for (request, resources, identities, permissions, note) in [
        (SDK_ADD, json!(["secret"]), json!(["/app/prod/*", "/app/**/db"]), json!(["read", "list"]), None),
        (CLI_ADD, json!(["secret"]), json!([]), json!(["getSecretValue", "ask-nicely"]), Some("<reveal>")),
        (CLI_NULLS, json!([]), json!([]), json!(["read"]), None),
        (TERRAFORM_ADD, json!(["*"]), json!([]), json!(["*"]), Some("all")),
    ] {
        let rule = object(&replay.send(request), 201, &RULE);
        assert_eq!(
            (&rule["resources"], &rule["resourceIdentities"], &rule["permissions"]),
            (&resources, &identities, &permissions),
            "{request}"
        );
        assert_eq!(rule.get("note").and_then(|note| note.as_str()), note, "{request}");
        rules.push(rule);
    }
    let role = object(&replay.send(TERRAFORM_READ), 200, &ROLE);
    assert_eq!(role["rules"], json!(rules), "Terraform looks for its rule in the role");
    assert_eq!(role["objectVersion"], json!(5));
    replay.set("rule", text(&rules[1], "identity"));
    nothing(&replay.send(TERRAFORM_DELETE));
    let _ = not_found(&replay.send(TERRAFORM_DELETE));
    rules.remove(1);
    assert_eq!(object(&replay.send(TERRAFORM_READ), 200, &ROLE)["rules"], json!(rules));
    assert!(bad_request(&replay.send(SDK_MALFORMED)).contains("resources"));
}

#[test]
fn only_of_a_role_that_is_there_and_can_be_changed() {
    let mut replay = Replay::new();
    let role = replay.role("gone", &["secret"], &["read"]);
    let rule = text(&replay.client.get(format!("/v1/iam/roles/{role}")).ok(200)["rules"][0], "identity");
    replay.client.delete(format!("/v1/iam/roles/{role}")).empty();
    replay.set("rule", rule);
    for name in [role.as_str(), "role-nothing", "Not even one"].map(|name| name.replace(' ', "%20")) {
        replay.set("role", name);
        for request in [SDK_ADD, TERRAFORM_DELETE] {
            let _ = not_found(&replay.send(request));
        }
    }
    replay.set("role", "org-admin");
    let _ = bad_request(&replay.send(SDK_ADD));
}

#[test]
fn nobody_grants_more_than_they_hold() {
    let mut replay = Replay::new();
    let member = replay.user("Ada");
    let held = replay.role("held", &["organisation_role"], &["read", "update"]);
    let _ = replay.bind(&held, "userIdentity", &member);
    let reads = replay.role("reads", &["secret"], &["read", "list"]);
    let _ = replay.bind(&reads, "userIdentity", &member);
    replay.set("role", replay.named("/v1/iam/roles", "target"));
    replay.set("token", replay.token_of(&member));
    let _ = object(&replay.send(SDK_ADD), 201, &RULE);
    for request in [CLI_ADD, TERRAFORM_ADD] {
        let _ = bad_request(&replay.send(request));
    }
    assert_eq!(object(&replay.send(TERRAFORM_READ), 200, &ROLE)["rules"].as_array().map(Vec::len), Some(1));
    replay.set("token", replay.token_of(&replay.user("Grace")));
    let _ = shown(&replay.send(SDK_ADD), 403);
}

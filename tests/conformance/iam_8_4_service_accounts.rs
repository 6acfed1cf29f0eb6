//! Section 8.4: service accounts. A change is partial.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::ACCOUNT;
use crate::{Replay, text};
use serde_json::json;

const SDK_CREATE: &str = r#"POST /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Deploy"}"#;

const CLI_CREATE: &str = r#"POST /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"From the CLI","description":"d","annotations":{"note":"n"},"labels":{"env":"prod"}}"#;

/// A pointer to an empty text is sent, an empty map isn't.
const TERRAFORM_CREATE: &str = r#"POST /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Deploy","description":""}"#;

const SDK_NO_NAME: &str = r#"POST /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":""}"#;

const SDK_LABELS: &str = "GET /v1/service-accounts?matchLabels%5Benv%5D=prod HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_SLUG: &str = "GET /v1/service-accounts?slug=deploy-2 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_LIST: &str = "GET /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
X-Project-Identity: prj-of-the-context
Accept-Encoding: gzip

";

const TERRAFORM_READ: &str = "GET /v1/service-accounts/{account} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// Only flags that were given are sent; an empty description clears it.
const CLI_DESCRIPTION: &str = r#"PUT /v1/service-accounts/{account} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"description":""}"#;

const CLI_NAME: &str = r#"PUT /v1/service-accounts/{account} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Renamed"}"#;

const SDK_NOTHING: &str = "PUT /v1/service-accounts/{account} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{}";

const TERRAFORM_UPDATE: &str = r#"PUT /v1/service-accounts/{account} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Deploy","description":"changed","labels":{"env":"test"}}"#;

const TERRAFORM_DELETE: &str = "DELETE /v1/service-accounts/{account} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn made_and_found_again() {
    let mut replay = Replay::new();
    let owner = replay.owner();
    let first = object(&replay.send(SDK_CREATE), 201, &ACCOUNT);
    let second = object(&replay.send(CLI_CREATE), 201, &ACCOUNT);
    let third = object(&replay.send(TERRAFORM_CREATE), 201, &ACCOUNT);
    assert_eq!((&first["slug"], &third["slug"]), (&json!("deploy"), &json!("deploy-2")));
    assert_eq!((&second["description"], &second["labels"]), (&json!("d"), &json!({"env": "prod"})));
    for account in [&first, &third] {
        for empty in ["description", "labels", "annotations", "updatedAt", "deletedAt"] {
            assert!(account.get(empty).is_none(), "`{empty}` was not set: {account}");
        }
        assert_eq!(account["createdBy"]["subject"], json!(owner));
    }
    for account in [&first, &second, &third] {
        for name in ["identity", "slug"] {
            replay.set("account", text(account, name));
            let read = object(&replay.send(TERRAFORM_READ), 200, &ACCOUNT);
            assert_eq!(&read, account, "a plan after the creation finds no difference");
        }
    }
    assert_eq!(list(&replay.send(SDK_LABELS), &ACCOUNT), [second]);
    assert_eq!(list(&replay.send(SDK_SLUG), &ACCOUNT), [third]);
    assert_eq!(list(&replay.send(CLI_LIST), &ACCOUNT).len(), 3);
    assert!(bad_request(&replay.send(SDK_NO_NAME)).contains("name"));
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let mut replay = Replay::new();
    let made = object(&replay.send(CLI_CREATE), 201, &ACCOUNT);
    replay.set("account", text(&made, "identity"));
    let changed = object(&replay.send(CLI_DESCRIPTION), 200, &ACCOUNT);
    assert!(changed.get("description").is_none(), "cleared: {changed}");
    assert_eq!((&changed["name"], &changed["labels"]), (&made["name"], &made["labels"]));
    assert_eq!(changed["objectVersion"], json!(2));
    let renamed = object(&replay.send(CLI_NAME), 200, &ACCOUNT);
    assert_eq!((&renamed["name"], &renamed["slug"]), (&json!("Renamed"), &made["slug"]));
    assert_eq!(object(&replay.send(SDK_NOTHING), 200, &ACCOUNT)["name"], json!("Renamed"));
    let last = object(&replay.send(TERRAFORM_UPDATE), 200, &ACCOUNT);
    assert_eq!((&last["name"], &last["description"]), (&json!("Deploy"), &json!("changed")));
    assert_eq!((&last["labels"], &last["annotations"]), (&json!({"env": "test"}), &json!({"note": "n"})));
    assert_eq!(object(&replay.send(TERRAFORM_READ), 200, &ACCOUNT), last, "as the next GET shows it");
}

#[test]
fn it_shows_the_roles_that_are_bound_to_it() {
    let mut replay = Replay::new();
    let account = replay.named("/v1/service-accounts", "Deploy");
    let roles = ["Readers", "Writers"].map(|name| replay.role(name, &["secret"], &["read"]));
    let bound: Vec<_> = roles.iter().map(|role| replay.bind(role, "serviceAccountIdentity", &account)).collect();
    replay.set("account", account);
    let read = object(&replay.send(TERRAFORM_READ), 200, &ACCOUNT);
    let shown = |member: &str| -> Vec<_> {
        let bindings = read["roleBindings"].as_array().expect("a list");
        bindings.iter().map(|binding| binding.pointer(member).cloned().expect("a member")).collect()
    };
    assert_eq!(shown("/organisationRole/identity"), roles.map(|role| json!(role)), "Terraform's `role_id`");
    assert_eq!(shown("/identity"), bound.iter().map(|binding| binding["identity"].clone()).collect::<Vec<_>>());
    assert_eq!(list(&replay.send(CLI_LIST), &ACCOUNT), [read]);
}

#[test]
fn deleted_once_with_what_it_had() {
    let mut replay = Replay::new();
    let account = replay.named("/v1/service-accounts", "Deploy");
    let role = replay.role("Readers", &["secret"], &["read"]);
    let _ = replay.bind(&role, "serviceAccountIdentity", &account);
    replay.set("account", account);
    nothing(&replay.send(TERRAFORM_DELETE));
    for request in [TERRAFORM_DELETE, TERRAFORM_READ, CLI_NAME] {
        let _ = not_found(&replay.send(request));
    }
    assert!(list(&replay.send(CLI_LIST), &ACCOUNT).is_empty());
    assert_eq!(replay.client.get(format!("/v1/iam/roles/{role}/bindings")).ok(200), json!([]));
    let member = replay.user("Ada");
    replay.set("token", replay.token_of(&member));
    for request in [SDK_CREATE, SDK_NO_NAME, CLI_LIST, TERRAFORM_READ, CLI_NAME, TERRAFORM_DELETE] {
        let _ = shown(&replay.send(request), 403);
    }
}

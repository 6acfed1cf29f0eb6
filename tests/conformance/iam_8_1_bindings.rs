//! Section 8.1: bindings of a role, to one user, team or service account; what isn't meant is null.

use crate::decode::{bad_request, list, not_found, nothing, object};
use crate::iam_shapes::BINDING;
use crate::{Replay, text};
use serde_json::json;

const SDK_USER: &str = r#"POST /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"ada","description":"","annotations":null,"labels":null,"userIdentity":"{user}","teamIdentity":null,"serviceAccountIdentity":null,"scopes":null}"#;

const CLI_TEAM: &str = r#"POST /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"operators","description":"on call","annotations":{},"labels":{"env":"prod"},"userIdentity":null,"teamIdentity":"{team}","serviceAccountIdentity":null,"scopes":["{project}"]}"#;

const TERRAFORM_ACCOUNT: &str = r#"POST /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"deploy","description":"","annotations":{},"labels":{},"userIdentity":null,"teamIdentity":null,"serviceAccountIdentity":"{account}","scopes":null}"#;

/// Terraform doesn't check that there is one.
const TERRAFORM_TWO: &str = r#"POST /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"two","description":"","annotations":{},"labels":{},"userIdentity":"{user}","teamIdentity":"{team}","serviceAccountIdentity":null,"scopes":null}"#;

const TERRAFORM_NONE: &str = r#"POST /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"none","description":"","annotations":{},"labels":{},"userIdentity":null,"teamIdentity":null,"serviceAccountIdentity":null,"scopes":null}"#;

const SDK_UNKNOWN_SCOPE: &str = r#"POST /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"ada","description":"","annotations":null,"labels":null,"userIdentity":"{user}","teamIdentity":null,"serviceAccountIdentity":null,"scopes":["prj-nothing"]}"#;

const SDK_NAME: &str = "GET /v1/iam/roles/{role}/bindings?name=operators HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_LIST: &str = "GET /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_READ: &str = "GET /v1/iam/roles/{role}/bindings HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_DELETE: &str = "DELETE /v1/iam/roles/{role}/bindings/{binding} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

fn house() -> Replay {
    let mut replay = Replay::new();
    for (word, identity) in [
        ("role", replay.role("Readers", &["secret"], &["read", "list"])),
        ("user", replay.user("Ada")),
        ("team", replay.named("/v1/teams", "Operators")),
        ("account", replay.named("/v1/service-accounts", "Deploy")),
        ("project", replay.named("/v1/projects", "Shop")),
    ] {
        replay.set(word, identity);
    }
    replay
}

#[test]
fn to_each_kind_of_principal() {
    let mut replay = house();
    let user = object(&replay.send(SDK_USER), 201, &BINDING);
    assert_eq!(user["user"]["subject"], json!(replay.word("user")), "Terraform reads `user_id` from there");
    assert_eq!(user["user"]["email"], json!("ada@example.com"));
    let team = object(&replay.send(CLI_TEAM), 201, &BINDING);
    assert_eq!(team["team"]["identity"], json!(replay.word("team")));
    assert_eq!((&team["description"], &team["labels"]), (&json!("on call"), &json!({"env": "prod"})));
    assert_eq!(team["scopes"], json!([replay.word("project")]));
    let account = object(&replay.send(TERRAFORM_ACCOUNT), 201, &BINDING);
    assert_eq!(account["serviceAccount"]["identity"], json!(replay.word("account")));
    let all = [user, team.clone(), account];
    for (binding, principal) in all.iter().zip(["user", "team", "serviceAccount"]) {
        assert_eq!(binding["organisationRole"]["identity"], json!(replay.word("role")), "{binding}");
        for other in ["user", "team", "serviceAccount"] {
            assert_eq!(binding.get(other).is_some(), other == principal, "`{other}`: {binding}");
        }
    }
    assert_eq!(list(&replay.send(SDK_NAME), &BINDING), [team]);
    for request in [CLI_LIST, TERRAFORM_READ] {
        let mut found = list(&replay.send(request), &BINDING);
        found.sort_by_key(|binding| text(binding, "createdAt"));
        assert_eq!(found, all, "a plan after the creation finds no difference");
    }
    for binding in &all {
        replay.set("binding", text(binding, "identity"));
        nothing(&replay.send(TERRAFORM_DELETE));
        let _ = not_found(&replay.send(TERRAFORM_DELETE));
    }
    assert!(list(&replay.send(TERRAFORM_READ), &BINDING).is_empty());
}

#[test]
fn exactly_one_by_its_identity() {
    let mut replay = house();
    for request in [TERRAFORM_TWO, TERRAFORM_NONE] {
        let message = bad_request(&replay.send(request));
        assert!(message.contains("exactly one"), "{message}");
    }
    let narrow = object(&replay.send(SDK_UNKNOWN_SCOPE), 201, &BINDING);
    assert_eq!(narrow["scopes"], json!(["prj-nothing"]), "as sent; it allows nothing until there is such a project");
    for (word, request, slug) in [
        ("user", SDK_USER, "ada@example.com"),
        ("team", CLI_TEAM, "operators"),
        ("account", TERRAFORM_ACCOUNT, "deploy"),
    ] {
        let identity = replay.word(word);
        // The team's identity is that of no service account.
        for other in [slug.to_owned(), format!("{}x", &identity[..identity.len() - 1]), replay.word("role")] {
            replay.set(word, other);
            let message = not_found(&replay.send(request));
            assert!(message.contains("identity"), "it says what is wanted: {message}");
        }
        replay.set(word, identity);
    }
    replay.set("role", "role-nothing");
    for request in [SDK_USER, CLI_LIST] {
        let _ = not_found(&replay.send(request));
    }
}

#[test]
fn a_binding_gives_no_more_than_its_maker_holds() {
    let mut replay = house();
    let member = replay.user("Grace");
    let held = replay.role("held", &["organisation_role"], &["update"]);
    let _ = replay.bind(&held, "userIdentity", &member);
    replay.set("token", replay.token_of(&member));
    let _ = bad_request(&replay.send(SDK_USER));
}

//! Section 8.1: roles of an organisation. There is no change of one: Terraform replaces it.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::ROLE;
use crate::{Replay, text};
use serde_json::json;

/// Without `omitempty`: what isn't set is there, empty or null.
const SDK_CREATE: &str = r#"POST /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Deployers","description":"","annotations":null,"labels":null}"#;

const CLI_CREATE: &str = r#"POST /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"From the CLI","description":"read \u0026 list","annotations":{"note":"n"},"labels":{"env":"prod","team":"a"}}"#;

const TERRAFORM_CREATE: &str = r#"POST /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Deployers","description":"","annotations":{},"labels":{}}"#;

const SDK_NO_NAME: &str = r#"POST /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"","description":"","annotations":null,"labels":null}"#;

const SDK_SLUG: &str = "GET /v1/iam/roles?slug=deployers HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_LABELS: &str = "GET /v1/iam/roles?matchLabels%5Benv%5D=prod&matchLabels%5Bteam%5D=a HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_NAME: &str = "GET /v1/iam/roles?name=From+the+CLI HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_NONE: &str = "GET /v1/iam/roles?identity=role-nothing HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// A context with a project sends it along; roles have none.
const CLI_LIST: &str = "GET /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
X-Project-Identity: prj-of-the-context
Accept-Encoding: gzip

";

const TERRAFORM_LIST: &str = "GET /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_GET: &str = "GET /v1/iam/roles/{role} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// A name is neither identity nor slug: the CLI then looks through the list.
const CLI_GET_NAME: &str = "GET /v1/iam/roles/From%20the%20CLI HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_DELETE: &str = "DELETE /v1/iam/roles/{role} HTTP/1.1
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
    let first = object(&replay.send(SDK_CREATE), 201, &ROLE);
    assert_eq!(
        (&first["name"], &first["slug"], &first["rules"]),
        (&json!("Deployers"), &json!("deployers"), &json!([]))
    );
    assert_eq!(
        (&first["isReadOnly"], &first["system"], &first["objectVersion"]),
        (&json!(false), &json!(false), &json!(1))
    );
    for empty in ["description", "labels", "annotations", "organisation"] {
        assert!(first.get(empty).is_none(), "`{empty}` was not set: {first}");
    }
    let second = object(&replay.send(CLI_CREATE), 201, &ROLE);
    assert_eq!((&second["slug"], &second["description"]), (&json!("from-the-cli"), &json!("read & list")));
    assert_eq!(second["labels"], json!({"env": "prod", "team": "a"}));
    assert_eq!(second["annotations"], json!({"note": "n"}));
    let third = object(&replay.send(TERRAFORM_CREATE), 201, &ROLE);
    assert_eq!((&third["name"], &third["slug"]), (&json!("Deployers"), &json!("deployers-2")), "names may repeat");
    for role in [&first, &second, &third] {
        for name in ["identity", "slug"] {
            replay.set("role", text(role, name));
            assert_eq!(
                &object(&replay.send(SDK_GET), 200, &ROLE),
                role,
                "a plan after the creation finds no difference"
            );
        }
    }
    for (request, expected) in
        [(SDK_SLUG, Some(&first)), (SDK_LABELS, Some(&second)), (SDK_NAME, Some(&second)), (SDK_NONE, None)]
    {
        assert_eq!(list(&replay.send(request), &ROLE), expected.into_iter().cloned().collect::<Vec<_>>(), "{request}");
    }
    let _ = not_found(&replay.send(CLI_GET_NAME));
    assert!(bad_request(&replay.send(SDK_NO_NAME)).contains("name"));
}

#[test]
fn those_that_come_with_an_organisation() {
    let mut replay = Replay::new();
    let roles = list(&replay.send(CLI_LIST), &ROLE);
    assert_eq!(list(&replay.send(TERRAFORM_LIST), &ROLE), roles);
    for (slug, kind, permissions) in [
        ("org-admin", "*", &["*"][..]),
        ("org-auditor", "audit_log", &["list", "read"]),
        ("secrets:ReadAccess", "secret", &["read", "list"]),
        (
            "secrets:FullAccess",
            "secret",
            &["create", "read", "update", "delete", "list", "getSecretValue", "putSecretValue"],
        ),
        ("kms:ReadAccess", "kms_key", &["read", "list"]),
        ("kms:Encrypt", "kms_key", &["encrypt"]),
        ("kms:Decrypt", "kms_key", &["decrypt"]),
    ] {
        replay.set("role", slug);
        let role = object(&replay.send(SDK_GET), 200, &ROLE);
        assert!(roles.contains(&role), "{role}");
        assert_eq!((&role["name"], &role["isReadOnly"], &role["system"]), (&json!(slug), &json!(true), &json!(true)));
        let rule = &role["rules"][0];
        assert_eq!((&rule["resources"], &rule["permissions"]), (&json!([kind]), &json!(permissions)), "{slug}");
        assert_eq!(rule["resourceIdentities"], json!([]), "everything in scope");
        let _ = bad_request(&replay.send(TERRAFORM_DELETE));
    }
}

#[test]
fn deleted_once() {
    let mut replay = Replay::new();
    replay.set("role", replay.named("/v1/iam/roles", "gone"));
    nothing(&replay.send(TERRAFORM_DELETE));
    let _ = not_found(&replay.send(TERRAFORM_DELETE));
    let _ = not_found(&replay.send(SDK_GET));
    replay.set("role", "role-nothing");
    let _ = not_found(&replay.send(SDK_GET));
}

#[test]
fn who_may_not_is_told_before_anything_else() {
    let mut replay = Replay::new();
    let member = replay.user("Ada");
    let role = replay.named("/v1/iam/roles", "there");
    replay.set("token", replay.token_of(&member));
    for request in [SDK_CREATE, SDK_NO_NAME, CLI_LIST, TERRAFORM_LIST] {
        let text = shown(&replay.send(request), 403);
        assert!(text.starts_with("server returned status 403: {"), "{text}");
    }
    for name in [role.as_str(), "role-nothing"] {
        replay.set("role", name);
        let _ = shown(&replay.send(SDK_GET), 403);
        let _ = shown(&replay.send(TERRAFORM_DELETE), 403);
    }
}

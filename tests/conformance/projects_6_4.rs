//! Section 6.4: projects. Clients never send `X-Project-Identity` with these, whatever project they are set to.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::PROJECT;
use crate::{Replay, text};
use serde_json::json;

const SDK_CREATE: &str = r#"POST /v1/projects HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Shop","description":"","labels":null,"annotations":null}"#;

const CLI_CREATE: &str = r#"POST /v1/projects HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Team A","description":"d","labels":{"env":"prod"},"annotations":{"note":"n"},"parentProjectIdentity":"{parent}"}"#;

const TERRAFORM_CREATE: &str = r#"POST /v1/projects HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Terraform","description":"","labels":{},"annotations":{}}"#;

const SDK_NO_NAME: &str = r#"POST /v1/projects HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"","description":"","labels":null,"annotations":null}"#;

const SDK_FILTER: &str = "GET /v1/projects?matchLabels%5Benv%5D=prod&slug=team-a HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_LIST: &str = "GET /v1/projects HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_GET: &str = "GET /v1/projects/{project} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_CLEAR_PARENT: &str = r#"PUT /v1/projects/{project} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Team A","description":"Renamed","labels":{},"annotations":{},"parentProjectIdentity":""}"#;

const CLI_UPDATE: &str = r#"PUT /v1/projects/{project} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Team B","description":"d","labels":null,"annotations":null}"#;

const TERRAFORM_PARENT: &str = r#"PUT /v1/projects/{project} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Shop","description":"","labels":{},"annotations":{},"parentProjectIdentity":"{parent}"}"#;

const SDK_DELETE: &str = "DELETE /v1/projects/{project} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn made_and_found_again() {
    let mut replay = Replay::new();
    let shop = object(&replay.send(SDK_CREATE), 201, &PROJECT);
    assert_eq!((&shop["name"], &shop["slug"], &shop["objectVersion"]), (&json!("Shop"), &json!("shop"), &json!(1)));
    for empty in ["description", "labels", "annotations", "parentProject", "updatedAt"] {
        assert!(shop.get(empty).is_none(), "`{empty}` was not set: {shop}");
    }
    replay.set("parent", text(&shop, "identity"));
    let team = object(&replay.send(CLI_CREATE), 201, &PROJECT);
    assert_eq!(team["parentProject"], json!({"identity": shop["identity"], "name": "Shop", "slug": "shop"}));
    assert_eq!((&team["labels"], &team["description"]), (&json!({"env": "prod"}), &json!("d")));
    let third = object(&replay.send(TERRAFORM_CREATE), 201, &PROJECT);
    for project in [&shop, &team, &third] {
        for name in ["identity", "slug"] {
            replay.set("project", text(project, name));
            assert_eq!(&object(&replay.send(SDK_GET), 200, &PROJECT), project);
        }
    }
    assert_eq!(list(&replay.send(SDK_FILTER), &PROJECT), [team]);
    assert_eq!(list(&replay.send(CLI_LIST), &PROJECT).len(), 3);
    let text = shown(&replay.send(SDK_CREATE), 409);
    assert!(text.contains("shop"), "a slug is one project's: {text}");
    assert!(bad_request(&replay.send(SDK_NO_NAME)).contains("name"));
    for nothing in ["prj-nothing", "shop"] {
        replay.set("parent", nothing);
        let message = not_found(&replay.send(CLI_CREATE));
        assert!(message.contains("identity"), "{message}");
    }
}

#[test]
fn changed() {
    let mut replay = Replay::new();
    let shop = object(&replay.send(SDK_CREATE), 201, &PROJECT);
    replay.set("parent", text(&shop, "identity"));
    let team = object(&replay.send(CLI_CREATE), 201, &PROJECT);
    replay.set("project", text(&shop, "identity"));
    replay.set("parent", text(&team, "identity"));
    let _ = bad_request(&replay.send(TERRAFORM_PARENT));
    replay.set("parent", text(&shop, "identity"));
    let _ = bad_request(&replay.send(TERRAFORM_PARENT));
    replay.set("project", text(&team, "identity"));
    let changed = object(&replay.send(CLI_UPDATE), 200, &PROJECT);
    assert_eq!((&changed["name"], &changed["slug"]), (&json!("Team B"), &json!("team-a")));
    assert_eq!((&changed["labels"], &changed["parentProject"]), (&team["labels"], &team["parentProject"]));
    let changed = object(&replay.send(SDK_CLEAR_PARENT), 200, &PROJECT);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Team A"), &json!("Renamed")));
    for cleared in ["parentProject", "labels", "annotations"] {
        assert!(changed.get(cleared).is_none(), "`{cleared}`: {changed}");
    }
    assert_eq!(object(&replay.send(SDK_GET), 200, &PROJECT), changed, "as the next GET shows it");
}

#[test]
fn deleted_when_nothing_hangs_on_it() {
    let mut replay = Replay::new();
    let shop = object(&replay.send(SDK_CREATE), 201, &PROJECT);
    replay.set("parent", text(&shop, "identity"));
    let team = object(&replay.send(CLI_CREATE), 201, &PROJECT);
    replay.set("project", text(&shop, "identity"));
    let _ = bad_request(&replay.send(SDK_DELETE));
    replay.set("project", text(&team, "identity"));
    nothing(&replay.send(SDK_DELETE));
    for request in [SDK_DELETE, SDK_GET, CLI_UPDATE] {
        let _ = not_found(&replay.send(request));
    }
    let identity = text(&shop, "identity");
    let in_project = |request: strongroom_tests::Request<'_>| request.header("X-Project-Identity", &identity).send();
    let key = in_project(replay.client.request("POST", replay.client.keys()).json(&json!({"name": "k"}))).ok(201);
    assert_eq!(key["projectId"], json!(identity));
    replay.set("project", identity.as_str());
    let _ = bad_request(&replay.send(SDK_DELETE));
}

#[test]
fn who_may_not_is_told_before_anything_else() {
    let mut replay = Replay::new();
    replay.set("project", replay.named("/v1/projects", "Shop"));
    let member = replay.user("Ada");
    replay.set("token", replay.token_of(&member));
    for request in [SDK_CREATE, SDK_NO_NAME, CLI_LIST, SDK_GET, CLI_UPDATE, SDK_DELETE] {
        let _ = shown(&replay.send(request), 403);
    }
}

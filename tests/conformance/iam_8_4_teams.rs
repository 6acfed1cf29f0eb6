//! Section 8.4: teams. Clients send a team whole.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::TEAM;
use crate::{Replay, text};
use serde_json::json;

const SDK_CREATE: &str = r#"POST /v1/teams HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Operators","description":"","labels":null,"annotations":null}"#;

const CLI_CREATE: &str = r#"POST /v1/teams HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"From the CLI","description":"on call","labels":{"env":"prod"},"annotations":{"note":"n"}}"#;

const TERRAFORM_CREATE: &str = r#"POST /v1/teams HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Operators","description":"","labels":{},"annotations":{}}"#;

const SDK_SLUG: &str = "GET /v1/teams?slug=operators-2 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_LABELS: &str = "GET /v1/teams?matchLabels%5Benv%5D=prod HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_LIST: &str = "GET /v1/teams HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_GET: &str = "GET /v1/teams/{team} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// The CLI sends what it has read, with null for what was absent.
const CLI_UPDATE: &str = r#"PUT /v1/teams/{team} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"From the CLI","description":"off call","labels":{"env":"prod"},"annotations":null}"#;

const TERRAFORM_UPDATE: &str = r#"PUT /v1/teams/{team} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Operators","description":"","labels":{},"annotations":{"note":"m"}}"#;

const TERRAFORM_DELETE: &str = "DELETE /v1/teams/{team} HTTP/1.1
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
    let first = object(&replay.send(SDK_CREATE), 201, &TEAM);
    let second = object(&replay.send(CLI_CREATE), 201, &TEAM);
    let third = object(&replay.send(TERRAFORM_CREATE), 201, &TEAM);
    assert_eq!((&first["slug"], &third["slug"]), (&json!("operators"), &json!("operators-2")));
    assert_eq!(first["members"], json!([]), "whoever makes it is no member");
    for empty in ["description", "labels", "annotations", "updatedAt"] {
        assert!(first.get(empty).is_none(), "`{empty}` was not set: {first}");
    }
    for team in [&first, &second, &third] {
        for name in ["identity", "slug"] {
            replay.set("team", text(team, name));
            assert_eq!(&object(&replay.send(SDK_GET), 200, &TEAM), team);
        }
    }
    assert_eq!(list(&replay.send(SDK_SLUG), &TEAM), [third]);
    assert_eq!(list(&replay.send(SDK_LABELS), &TEAM), [second]);
    assert_eq!(list(&replay.send(TERRAFORM_LIST), &TEAM).len(), 3);
}

#[test]
fn changed() {
    let mut replay = Replay::new();
    let made = object(&replay.send(CLI_CREATE), 201, &TEAM);
    replay.set("team", text(&made, "identity"));
    let changed = object(&replay.send(CLI_UPDATE), 200, &TEAM);
    assert_eq!((&changed["description"], &changed["labels"]), (&json!("off call"), &made["labels"]));
    assert_eq!(changed["annotations"], made["annotations"], "null is as good as absent");
    let changed = object(&replay.send(TERRAFORM_UPDATE), 200, &TEAM);
    assert_eq!((&changed["name"], &changed["slug"]), (&json!("Operators"), &made["slug"]));
    assert_eq!((changed.get("description"), changed.get("labels")), (None, None), "cleared: {changed}");
    assert_eq!(changed["annotations"], json!({"note": "m"}));
    assert!(changed.get("updatedAt").is_some());
    assert_eq!(object(&replay.send(SDK_GET), 200, &TEAM), changed, "as the next GET shows it");
}

#[test]
fn deleted_once() {
    let mut replay = Replay::new();
    replay.set("team", replay.named("/v1/teams", "gone"));
    nothing(&replay.send(TERRAFORM_DELETE));
    for request in [TERRAFORM_DELETE, SDK_GET, TERRAFORM_UPDATE] {
        let _ = not_found(&replay.send(request));
    }
    let member = replay.user("Ada");
    replay.set("token", replay.token_of(&member));
    for request in [SDK_CREATE, TERRAFORM_LIST, SDK_GET, TERRAFORM_UPDATE, TERRAFORM_DELETE] {
        let _ = shown(&replay.send(request), 403);
    }
}

#[test]
fn limits_of_what_people_attach() {
    let mut replay = Replay::new();
    for (from, to, named) in [("Operators", "", "name"), (r#""labels":{}"#, r#""labels":{"-env":"prod"}"#, "labels")] {
        assert!(bad_request(&replay.send(&TERRAFORM_CREATE.replace(from, to))).contains(named), "{named}");
    }
}

//! Section 8.4: federated identities: which subject of a provider becomes which service account.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::FEDERATED_IDENTITY;
use crate::{Replay, text};
use serde_json::json;

/// What a program leaves out is null or empty.
const SDK_CREATE: &str = r#"POST /v1/federated-identities HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"anything","serviceAccountIdentity":"{account}","providerIdentity":"{provider}","providerSubject":"repo:acme/*","trustedAudiences":null,"audienceMatchMode":"","allowedScopes":null}"#;

const CLI_CREATE: &str = r#"POST /v1/federated-identities HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"main branch","description":"d","annotations":{"note":"n"},"labels":{"env":"prod"},"serviceAccountIdentity":"{account}","providerIdentity":"{provider}","providerSubject":"repo:acme/shop:ref:refs/heads/main","trustedAudiences":["strongroom","other"],"audienceMatchMode":"any","allowedScopes":["api:read","api:write"],"expiresAt":"2047-01-15T08:00:00+02:00","conditions":{"branch":"main","environment":["production","test"],"ref_protected":true,"runs":3}}"#;

const TERRAFORM_CREATE: &str = r#"POST /v1/federated-identities HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Terraform","serviceAccountIdentity":"{account}","providerIdentity":"{provider}","providerSubject":"project_path:acme/shop:ref_type:branch:ref:main","trustedAudiences":["strongroom"],"audienceMatchMode":"exact","allowedScopes":["api:read"]}"#;

const SDK_WILD: &str = r#"POST /v1/federated-identities HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"wild","serviceAccountIdentity":"{account}","providerIdentity":"{provider}","providerSubject":"**","trustedAudiences":["strongroom"],"audienceMatchMode":"any","allowedScopes":["api:read"]}"#;

const SDK_STATUS: &str = "GET /v1/federated-identities?status=active HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_LABELS: &str = "GET /v1/federated-identities?matchLabels%5Benv%5D=prod HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_LIST: &str = "GET /v1/federated-identities HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_READ: &str = "GET /v1/federated-identities/{federated} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// Terraform creates it active, and then sets the status that it shall have.
const TERRAFORM_STATUS: &str = r#"PUT /v1/federated-identities/{federated} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"status":"inactive"}"#;

const TERRAFORM_UPDATE: &str = r#"PUT /v1/federated-identities/{federated} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Terraform 2","description":"changed","trustedAudiences":["a","b"],"audienceMatchMode":"all","allowedScopes":["api:read","objectStorage"],"status":"active","expiresAt":"2047-01-15T06:00:00Z","conditions":{"branch":"release"}}"#;

const CLI_REVOKED: &str = r#"PUT /v1/federated-identities/{federated} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"status":"revoked"}"#;

const SDK_WRONG: &str = r#"PUT /v1/federated-identities/{federated} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"audienceMatchMode":"some"}"#;

const TERRAFORM_DELETE: &str = "DELETE /v1/federated-identities/{federated} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

fn house() -> Replay {
    let mut replay = Replay::new();
    replay.set("account", replay.named("/v1/service-accounts", "Deploy"));
    let provider = json!({"name": "CI", "providerIssuer": "https://ci.example.com"});
    let provider = replay.client.post("/v1/federated-identity-providers", &provider).ok(201);
    replay.set("provider", text(&provider, "identity"));
    replay
}

#[test]
fn made_and_found_again() {
    let mut replay = house();
    let open = object(&replay.send(SDK_CREATE), 201, &FEDERATED_IDENTITY);
    assert_eq!((&open["trustedAudiences"], &open["allowedScopes"]), (&json!([]), &json!([])));
    assert_eq!((&open["audienceMatchMode"], &open["status"]), (&json!("any"), &json!("active")));
    for empty in ["description", "labels", "annotations", "expiresAt", "conditions", "lastUsedAt", "deletedAt"] {
        assert!(open.get(empty).is_none(), "`{empty}` was not set: {open}");
    }
    let full = object(&replay.send(CLI_CREATE), 201, &FEDERATED_IDENTITY);
    assert_eq!(full["serviceAccount"]["identity"], json!(replay.word("account")));
    assert_eq!(full["provider"]["identity"], json!(replay.word("provider")));
    assert_eq!(full["provider"]["providerIssuer"], json!("https://ci.example.com"));
    assert_eq!(full["providerSubject"], json!("repo:acme/shop:ref:refs/heads/main"));
    assert_eq!(full["trustedAudiences"], json!(["strongroom", "other"]));
    assert_eq!(full["allowedScopes"], json!(["api:read", "api:write"]));
    assert_eq!(full["expiresAt"], json!("2047-01-15T08:00:00+02:00"), "with the offset that was sent");
    let conditions = json!({"branch": "main", "environment": ["production", "test"], "ref_protected": true, "runs": 3});
    assert_eq!(full["conditions"], conditions);
    let exact = object(&replay.send(TERRAFORM_CREATE), 201, &FEDERATED_IDENTITY);
    assert_eq!(exact["audienceMatchMode"], json!("exact"));
    for identity in [&open, &full, &exact] {
        replay.set("federated", text(identity, "identity"));
        let read = object(&replay.send(TERRAFORM_READ), 200, &FEDERATED_IDENTITY);
        assert_eq!(&read, identity, "a plan after the creation finds no difference");
    }
    assert_eq!(list(&replay.send(CLI_LIST), &FEDERATED_IDENTITY).len(), 3);
    let _ = object(&replay.send(TERRAFORM_STATUS), 200, &FEDERATED_IDENTITY);
    assert_eq!(list(&replay.send(SDK_STATUS), &FEDERATED_IDENTITY).len(), 2);
    assert_eq!(list(&replay.send(SDK_LABELS), &FEDERATED_IDENTITY), [full]);
}

#[test]
fn changed() {
    let mut replay = house();
    let made = object(&replay.send(TERRAFORM_CREATE), 201, &FEDERATED_IDENTITY);
    replay.set("federated", text(&made, "identity"));
    let changed = object(&replay.send(TERRAFORM_STATUS), 200, &FEDERATED_IDENTITY);
    assert_eq!((&changed["status"], &changed["name"]), (&json!("inactive"), &made["name"]));
    assert_eq!(changed["trustedAudiences"], made["trustedAudiences"]);
    let changed = object(&replay.send(TERRAFORM_UPDATE), 200, &FEDERATED_IDENTITY);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Terraform 2"), &json!("changed")));
    assert_eq!((&changed["trustedAudiences"], &changed["audienceMatchMode"]), (&json!(["a", "b"]), &json!("all")));
    assert_eq!(
        (&changed["allowedScopes"], &changed["status"]),
        (&json!(["api:read", "objectStorage"]), &json!("active"))
    );
    assert_eq!(
        (&changed["expiresAt"], &changed["conditions"]),
        (&json!("2047-01-15T06:00:00Z"), &json!({"branch": "release"}))
    );
    for fixed in ["providerSubject", "serviceAccount", "provider", "createdAt", "identity"] {
        assert_eq!(changed[fixed], made[fixed], "{fixed}");
    }
    let revoked = object(&replay.send(CLI_REVOKED), 200, &FEDERATED_IDENTITY);
    assert_eq!((&revoked["status"], &revoked["conditions"]), (&json!("revoked"), &changed["conditions"]));
    assert_eq!(object(&replay.send(TERRAFORM_READ), 200, &FEDERATED_IDENTITY), revoked, "as the next GET shows it");
    assert!(bad_request(&replay.send(SDK_WRONG)).contains("audienceMatchMode"));
}

#[test]
fn only_of_what_is_there_by_identity() {
    let mut replay = house();
    assert!(bad_request(&replay.send(SDK_WILD)).contains("providerSubject"), "it would match everybody");
    for (word, slug) in [("account", "deploy"), ("provider", "https://ci.example.com")] {
        let identity = replay.word(word);
        let other = if word == "account" { replay.word("provider") } else { replay.word("account") };
        for wrong in [slug.to_owned(), other] {
            replay.set(word, wrong);
            let message = not_found(&replay.send(CLI_CREATE));
            assert!(message.contains("identity"), "it says what is wanted: {message}");
        }
        replay.set(word, identity);
    }
}

#[test]
fn deleted_once() {
    let mut replay = house();
    let made = object(&replay.send(CLI_CREATE), 201, &FEDERATED_IDENTITY);
    replay.set("federated", text(&made, "identity"));
    nothing(&replay.send(TERRAFORM_DELETE));
    for request in [TERRAFORM_DELETE, TERRAFORM_READ, CLI_REVOKED] {
        let _ = not_found(&replay.send(request));
    }
    let member = replay.user("Ada");
    replay.set("token", replay.token_of(&member));
    for request in [CLI_CREATE, SDK_WILD, CLI_LIST, TERRAFORM_READ, CLI_REVOKED, TERRAFORM_DELETE] {
        let _ = shown(&replay.send(request), 403);
    }
}

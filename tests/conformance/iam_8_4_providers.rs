//! Section 8.4: identity providers, whose tokens can be exchanged. Issuer and local keys stay as they are.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::PROVIDER;
use crate::{Replay, text};
use serde_json::json;

/// A key is a map, whose members Go sorts.
const SDK_CREATE: &str = r#"POST /v1/federated-identity-providers HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"Local","providerIssuer":"https://ci.example.com/","localJwks":{"keys":[{"alg":"EdDSA","crv":"Ed25519","kid":"one","kty":"OKP","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}"#;

const CLI_CREATE: &str = r#"POST /v1/federated-identity-providers HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"GitHub","providerIssuer":"https://token.actions.githubusercontent.com","status":"active"}"#;

const TERRAFORM_CREATE: &str = r#"POST /v1/federated-identity-providers HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"GitLab","description":"d","annotations":{"note":"n"},"labels":{"env":"prod"},"providerIssuer":"https://gitlab.example.com","providerJwksUri":"https://gitlab.example.com/oauth/discovery/keys","status":"inactive"}"#;

const SDK_NO_ISSUER: &str = r#"POST /v1/federated-identity-providers HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"none","providerIssuer":""}"#;

const SDK_STATUS: &str = "GET /v1/federated-identity-providers?status=inactive HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_NAME: &str = "GET /v1/federated-identity-providers?name=GitHub HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_LIST: &str = "GET /v1/federated-identity-providers HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_READ: &str = "GET /v1/federated-identity-providers/{provider} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// `--jwks-uri ''`: back to what the issuer publishes.
const CLI_NO_URI: &str = r#"PUT /v1/federated-identity-providers/{provider} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"providerJwksUri":""}"#;

const TERRAFORM_UPDATE: &str = r#"PUT /v1/federated-identity-providers/{provider} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"GitLab 2","annotations":{"note":"m"},"providerJwksUri":"https://gitlab.example.com/keys","status":"active"}"#;

const SDK_INACTIVE: &str = r#"PUT /v1/federated-identity-providers/{provider} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"status":"inactive"}"#;

const SDK_WRONG: &str = r#"PUT /v1/federated-identity-providers/{provider} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"status":"paused"}"#;

const TERRAFORM_DELETE: &str = "DELETE /v1/federated-identity-providers/{provider} HTTP/1.1
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
    let local = object(&replay.send(SDK_CREATE), 201, &PROVIDER);
    assert_eq!(local["providerIssuer"], json!("https://ci.example.com/"), "a slash at the end counts");
    let key = json!({"alg": "EdDSA", "crv": "Ed25519", "kid": "one", "kty": "OKP", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(local["localJwks"], json!({"keys": [key]}));
    assert_eq!((&local["status"], local.get("providerJwksUri")), (&json!("active"), None));
    assert_eq!(local["createdBy"]["subject"], json!(replay.owner()));
    let github = object(&replay.send(CLI_CREATE), 201, &PROVIDER);
    for empty in ["description", "labels", "annotations", "localJwks", "providerJwksUri", "updatedAt", "deletedAt"] {
        assert!(github.get(empty).is_none(), "`{empty}` was not set: {github}");
    }
    let gitlab = object(&replay.send(TERRAFORM_CREATE), 201, &PROVIDER);
    assert_eq!((&gitlab["status"], &gitlab["description"]), (&json!("inactive"), &json!("d")));
    assert_eq!(gitlab["providerJwksUri"], json!("https://gitlab.example.com/oauth/discovery/keys"));
    for provider in [&local, &github, &gitlab] {
        replay.set("provider", text(provider, "identity"));
        let read = object(&replay.send(TERRAFORM_READ), 200, &PROVIDER);
        assert_eq!(&read, provider, "a plan after the creation finds no difference");
    }
    assert_eq!(list(&replay.send(SDK_STATUS), &PROVIDER), [gitlab]);
    assert_eq!(list(&replay.send(SDK_NAME), &PROVIDER), [github]);
    assert_eq!(list(&replay.send(CLI_LIST), &PROVIDER).len(), 3);
    for again in [SDK_CREATE, CLI_CREATE, TERRAFORM_CREATE] {
        let text = shown(&replay.send(again), 409);
        assert!(text.contains("providerIssuer"), "one provider to an issuer: {text}");
    }
    let _ = bad_request(&replay.send(SDK_NO_ISSUER));
}

#[test]
fn changed() {
    let mut replay = Replay::new();
    let made = object(&replay.send(TERRAFORM_CREATE), 201, &PROVIDER);
    replay.set("provider", text(&made, "identity"));
    let changed = object(&replay.send(CLI_NO_URI), 200, &PROVIDER);
    assert!(changed.get("providerJwksUri").is_none(), "{changed}");
    assert_eq!((&changed["name"], &changed["labels"]), (&made["name"], &made["labels"]));
    let changed = object(&replay.send(TERRAFORM_UPDATE), 200, &PROVIDER);
    assert_eq!((&changed["name"], &changed["status"]), (&json!("GitLab 2"), &json!("active")));
    assert_eq!(changed["providerJwksUri"], json!("https://gitlab.example.com/keys"));
    assert_eq!((&changed["labels"], &changed["annotations"]), (&made["labels"], &json!({"note": "m"})));
    assert_eq!((&changed["description"], &changed["objectVersion"]), (&made["description"], &json!(3)));
    let changed = object(&replay.send(SDK_INACTIVE), 200, &PROVIDER);
    assert_eq!((&changed["name"], &changed["status"]), (&json!("GitLab 2"), &json!("inactive")));
    assert_eq!(object(&replay.send(TERRAFORM_READ), 200, &PROVIDER), changed, "as the next GET shows it");
    assert!(bad_request(&replay.send(SDK_WRONG)).contains("status"));
}

#[test]
fn deleted_once() {
    let mut replay = Replay::new();
    let made = object(&replay.send(CLI_CREATE), 201, &PROVIDER);
    replay.set("provider", text(&made, "identity"));
    nothing(&replay.send(TERRAFORM_DELETE));
    for request in [TERRAFORM_DELETE, TERRAFORM_READ, SDK_INACTIVE] {
        let _ = not_found(&replay.send(request));
    }
    let _ = object(&replay.send(CLI_CREATE), 201, &PROVIDER);
    let member = replay.user("Ada");
    replay.set("token", replay.token_of(&member));
    for request in [CLI_CREATE, SDK_NO_ISSUER, CLI_LIST, TERRAFORM_READ, SDK_INACTIVE, TERRAFORM_DELETE] {
        let _ = shown(&replay.send(request), 403);
    }
}

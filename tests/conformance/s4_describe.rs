//! S4: metadata, with the versions when they are asked for. The path stands in the URL as it is, `+` too.

use crate::Replay;
use crate::decode::{bad_request, not_found, object, shown};
use crate::shapes::SECRET;
use serde_json::json;

const SDK: &str = "GET /v1/secrets/nl-01/secret/app/prod/db/password HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_VERSIONS: &str = "GET /v1/secrets/nl-01/secret/app/prod/db/password?includeVersions=true HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_PLUS: &str = "GET /v1/secrets/nl-01/secret/app/a+b HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// What the path `/` becomes.
const SDK_ROOT: &str = "GET /v1/secrets/nl-01/secret/ HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// The pattern of the SDK lets this pass.
const SDK_DOUBLE_SLASH: &str = "GET /v1/secrets/nl-01/secret/app//prod HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_PROJECT: &str = "GET /v1/secrets/nl-01/secret/app/prod/db/password HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
X-Project-Identity: p-00000000000000000000000000
Accept-Encoding: gzip

";

/// GET has no parts: this is the secret `/app/value`.
const CLI_NAMED_LIKE_A_PART: &str = "GET /v1/secrets/nl-01/secret/app/value?includeVersions=true HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "GET /v1/secrets/nl-01/secret/app/prod/db/password HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn metadata() {
    let mut replay = Replay::new();
    for path in ["/app/prod/db/password", "/app/a+b", "/app/value"] {
        replay.create(path);
    }
    for (request, path) in
        [(SDK, "/app/prod/db/password"), (TERRAFORM, "/app/prod/db/password"), (SDK_PLUS, "/app/a+b")]
    {
        let secret = object(&replay.send(request), 200, &SECRET);
        assert_eq!(secret["path"], path);
        assert!(secret.get("versions").is_none(), "{secret}");
        assert!(secret.get("lastAccessedAt").is_none(), "{secret}");
    }
    let secret = object(&replay.send(CLI_NAMED_LIKE_A_PART), 200, &SECRET);
    assert_eq!((&secret["path"], &secret["versions"][0]["version"]), (&json!("/app/value"), &json!(1)));
}

#[test]
fn versions() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    replay.create(path);
    let _ = replay.client.put_value(path, "second").ok(201);
    let _ = replay.client.put_value(path, "third").ok(201);
    replay.client.destroy(path, 2).empty();
    let _ = replay.client.reveal(path, Some(1)).ok(200);
    let secret = object(&replay.send(SDK_VERSIONS), 200, &SECRET);
    let found: Vec<_> = secret["versions"].as_array().into_iter().flatten().map(|one| &one["status"]).collect();
    assert_eq!(found, ["active", "destroyed", "active"]);
    assert_eq!((&secret["currentVersion"], &secret["versions"][2]["stage"]), (&json!(3), &json!("current")));
    assert!(secret["versions"][1]["destroyedAt"].is_string(), "{secret}");
}

#[test]
fn what_is_not_there_is_gone() {
    let mut replay = Replay::new();
    for request in [SDK, SDK_VERSIONS, SDK_PLUS, TERRAFORM, CLI_NAMED_LIKE_A_PART] {
        let _ = not_found(&replay.send(request));
    }
    replay.create("/app/prod/db/password");
    let _ = not_found(&replay.send(SDK_PROJECT));
    for request in [SDK_ROOT, SDK_DOUBLE_SLASH] {
        let message = bad_request(&replay.send(request));
        assert!(message.contains("path"), "{message}");
    }
    replay.set("organisation", "no-such-organisation");
    let _ = shown(&replay.send(SDK), 403);
}
